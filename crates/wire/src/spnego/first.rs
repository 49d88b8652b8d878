use super::{KERBEROS, NTLM, SPNEGO};
use crate::der::{Der, Oid, tag};
use crate::ntlm;

/// What a client's first token is, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstToken<'a> {
    /// SPNEGO, in its frame or without.
    Spnego,
    /// A mechanism's own token: NTLM's bare message, or one that a GSS frame names.
    Raw(Oid<'a>),
    /// A message that never comes first.
    Response,
    /// None of these.
    Other,
}

impl<'a> FirstToken<'a> {
    /// Recognises a whole token.
    pub fn recognise(token: &'a [u8]) -> Self {
        const FRAME: &str = "InitialContextToken";
        const AP_REQ: u8 = 0x6e; // [APPLICATION 14]: Kerberos without its frame, as DCE style has it
        match token.first().copied() {
            // What stands behind the frame is for the decoder to refuse, with a better reason.
            Some(tag::APPLICATION_0) => {
                match Der::new(token).take(tag::APPLICATION_0, FRAME).and_then(|mut frame| frame.oid(FRAME)) {
                    Ok(SPNEGO) => Self::Spnego,
                    Ok(oid) => Self::Raw(oid),
                    Err(_) => Self::Other,
                }
            }
            Some(first) if first == tag::context(0) => Self::Spnego,
            Some(first) if first == tag::context(1) => Self::Response,
            Some(AP_REQ) => Self::Raw(KERBEROS),
            _ if token.starts_with(&ntlm::SIGNATURE) => Self::Raw(NTLM),
            _ => Self::Other,
        }
    }

    /// Whether a token with this first byte is DER, so that its length tells whether it is whole.
    pub fn is_der(first: Option<u8>) -> bool {
        first.is_some_and(|first| matches!(first, tag::APPLICATION_0 | 0x6e) || first & 0xe0 == 0xa0)
    }
}
