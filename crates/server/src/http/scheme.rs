use crate::config::SchemeName;
use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use portcullis::HostCause;
use portcullis_wire::spnego::{self, FirstToken};
use zeroize::Zeroizing;

/// What a request's Authorization header brings.
#[derive(Debug)]
pub(crate) enum Credentials {
    /// There is none.
    None,
    /// A token of a scheme; of Basic it is `user:password`.
    Token(SchemeName, Token),
    /// Something that cannot be used, under which scheme where it has a known one.
    Unusable(&'static str, HostCause),
}

/// A decoded token, overwritten when dropped: a plain password may be in it.
pub(crate) type Token = Zeroizing<Vec<u8>>;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads `Authorization: scheme token68` (RFC 9110 §11.4). Two such headers are as bad as none that makes sense: which
/// one counts must not depend on who reads them.
pub(crate) fn read(headers: &HeaderMap, max_token: usize) -> Credentials {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, more) = (values.next(), values.next());
    let Some(value) = value else { return Credentials::None };
    if more.is_some() {
        return Credentials::Unusable("-", HostCause::BadHeader);
    }
    let Ok(value) = value.to_str() else { return Credentials::Unusable("-", HostCause::BadHeader) };
    let (scheme, text) = value.trim().split_once(' ').unwrap_or((value.trim(), ""));
    let Ok(scheme) = scheme.parse::<SchemeName>() else {
        return Credentials::Unusable("-", HostCause::SchemeNotOffered);
    };
    let text = text.trim_matches(' ');
    if text.len() / 4 * 3 > max_token {
        return Credentials::Unusable(scheme.name(), HostCause::TokenTooLarge);
    }
    match BASE64.decode(text) {
        Ok(token) if !token.is_empty() => Credentials::Token(scheme, Zeroizing::new(token)),
        _ => Credentials::Unusable(scheme.name(), HostCause::BadHeader),
    }
}

/// A token as it stands in a header.
pub(crate) fn encode(token: &[u8]) -> String {
    BASE64.encode(token)
}

/// Whether a token is a handshake's first message: it starts one over, wherever it comes. NTLM's second message, and
/// SPNEGO's responses, go on with one.
pub(crate) fn begins(token: &[u8]) -> bool {
    match FirstToken::recognise(token) {
        FirstToken::Spnego => true,
        FirstToken::Raw(spnego::NTLM) => token.starts_with(b"NTLMSSP\0\x01\0\0\0"),
        FirstToken::Raw(_) => true,
        FirstToken::Response | FirstToken::Other => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn of(values: &[&'static str]) -> Credentials {
        let headers = values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_static(value))).collect();
        read(&headers, 96)
    }

    fn cause(values: &[&'static str]) -> HostCause {
        match of(values) {
            Credentials::Unusable(_, cause) => cause,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn schemes_are_read_whatever_their_case_and_padding() {
        assert!(
            matches!(of(&["NTLM TlRMTVNTUAAB"]), Credentials::Token(SchemeName::NTLM, token) if token.starts_with(b"NTLMSSP\0\x01"))
        );
        assert!(
            matches!(of(&["basic  YW5uOnB3"]), Credentials::Token(SchemeName::Basic, token) if *token == b"ann:pw")
        );
        assert!(
            matches!(of(&["Basic YW5uOnB3MQ"]), Credentials::Token(SchemeName::Basic, token) if *token == b"ann:pw1")
        );
        assert!(matches!(of(&[]), Credentials::None));
    }

    #[test]
    fn what_cannot_be_used_has_its_cause() {
        assert_eq!(cause(&["NTLM"]), HostCause::BadHeader);
        assert_eq!(cause(&["NTLM ***"]), HostCause::BadHeader);
        assert_eq!(cause(&["NTLM TlRM", "Basic YW5u"]), HostCause::BadHeader);
        assert_eq!(cause(&["Bearer abc"]), HostCause::SchemeNotOffered);
        assert_eq!(cause(&[""]), HostCause::SchemeNotOffered);
        let long: &'static str = Box::leak(format!("NTLM {}", "A".repeat(132)).into_boxed_str());
        assert_eq!(cause(&[long]), HostCause::TokenTooLarge);
    }
}
