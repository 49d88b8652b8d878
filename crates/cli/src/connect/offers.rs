//! What a server offers in WWW-Authenticate (RFC 9110 §11.6.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::WWW_AUTHENTICATE;
use portcullis_server::SchemeName;

/// One challenge: the scheme as the server writes it, and what follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) scheme: String,
    pub(super) rest: String,
}

/// A scheme's token in an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// The scheme is not there, or brings none.
    None,
    /// This.
    Bytes(Vec<u8>),
    /// Something that is no base64.
    Broken,
}

impl Offer {
    /// Whether it is of a scheme.
    pub(super) fn is(&self, scheme: SchemeName) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme.name())
    }
}

impl std::fmt::Display for Offer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.rest.is_empty() {
            true => f.write_str(&self.scheme),
            false => write!(f, "{} {}", self.scheme, self.rest),
        }
    }
}

/// Every challenge of an answer, in its order. Several may stand in one header, with commas between.
pub(super) fn read(headers: &HeaderMap) -> Vec<Offer> {
    let mut offers: Vec<Offer> = Vec::new();
    for value in headers.get_all(WWW_AUTHENTICATE) {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        for (number, part) in split(&text).into_iter().enumerate() {
            let (word, rest) = part.split_once(' ').unwrap_or((part, ""));
            // `name=value` goes on with the challenge before it; a token's padding stands behind a blank.
            match offers.last_mut().filter(|_| number > 0 && word.contains('=')) {
                Some(last) => last.rest = format!("{}, {part}", last.rest),
                None => offers.push(Offer { scheme: word.to_owned(), rest: rest.trim().to_owned() }),
            }
        }
    }
    offers
}

/// A scheme's token.
pub(super) fn token(offers: &[Offer], scheme: SchemeName) -> Token {
    match offers.iter().find(|offer| offer.is(scheme) && !offer.rest.is_empty()) {
        None => Token::None,
        Some(offer) => STANDARD.decode(&offer.rest).map_or(Token::Broken, Token::Bytes),
    }
}

/// The parts between commas that do not stand in a quoted string.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn challenges_in_one_header_or_in_several() {
        let of = |values: &[&'static str]| {
            let headers = values.iter().map(|value| (WWW_AUTHENTICATE, HeaderValue::from_static(value))).collect();
            read(&headers).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            of(&["Negotiate", "NTLM", "Basic realm=\"a, b\", charset=\"UTF-8\""]),
            ["Negotiate", "NTLM", "Basic realm=\"a, b\", charset=\"UTF-8\""]
        );
        assert_eq!(of(&["Negotiate, NTLM TlRM, Basic realm=x"]), ["Negotiate", "NTLM TlRM", "Basic realm=x"]);
        assert_eq!(of(&["", ",", "NTLM TlRMTVNTUAAC="]), ["NTLM TlRMTVNTUAAC="]);
        assert_eq!(of(&["Digest realm=\"a \\\" b\", nonce=c"]), ["Digest realm=\"a \\\" b\", nonce=c"]);
    }

    #[test]
    fn tokens() {
        let offers = [("NTLM", "TlRM"), ("Negotiate", ""), ("basic", "***")]
            .map(|(scheme, rest)| Offer { scheme: scheme.into(), rest: rest.into() });
        assert_eq!(token(&offers, SchemeName::NTLM), Token::Bytes(b"NTL".to_vec()));
        assert_eq!(token(&offers, SchemeName::Negotiate), Token::None);
        assert_eq!(token(&offers, SchemeName::Basic), Token::Broken);
        assert_eq!(token(&[], SchemeName::NTLM), Token::None);
    }
}
