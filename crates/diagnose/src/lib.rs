//! What a token says: bytes that a client and a server exchanged, read for people who stare at them.
//!
//! Nothing here judges or proves: a token is shown as it stands, and one that cannot be read says where it goes wrong.
//! Proofs are not shown. An NTLM response is enough to guess the password by, so only its form and length are told.
//!
//! ```
//! let token = portcullis_diagnose::decode(b"NTLMSSP\0\x01\0\0\0\x06\x82\x08\0");
//! assert_eq!(token.kind, "NTLM NEGOTIATE");
//! assert!(token.to_string().contains("EXTENDED_SESSION_SECURITY"));
//! ```
#![forbid(unsafe_code)]

mod kerberos;
mod negoex;
mod ntlm;
mod spnego;
mod tree;

pub use tree::{Decoded, Field, Value};

use portcullis_wire::spnego::{FirstToken, NTLM, SPNEGO};

/// Reads a token of any protocol that is known here. What is none is shown as its first bytes; nothing fails.
pub fn decode(token: &[u8]) -> Decoded {
    match FirstToken::recognise(token) {
        _ if token.is_empty() => Decoded::new("empty token", token),
        FirstToken::Spnego => spnego::offer(token),
        FirstToken::Response => spnego::response(token),
        FirstToken::Raw(NTLM) => ntlm::decode(token),
        FirstToken::Raw(SPNEGO) => spnego::offer(token),
        FirstToken::Raw(oid) => kerberos::decode(token, oid),
        FirstToken::Other if token.starts_with(&portcullis_wire::negoex::SIGNATURE) => negoex::decode(token),
        FirstToken::Other => kerberos::bare(token).unwrap_or_else(|| unknown(token)),
    }
}

/// Bytes of no known protocol.
fn unknown(token: &[u8]) -> Decoded {
    const SHOWN: usize = 16;
    let first = token.get(..SHOWN).unwrap_or(token);
    let more = if token.len() > SHOWN { " …" } else { "" };
    let looks_like = match token {
        [0x16, 0x03, ..] => Some("a TLS handshake: the client speaks TLS to a port or in a token where none is due"),
        _ if token.is_ascii() && !token.iter().any(u8::is_ascii_control) => {
            Some("text: base64 that was not decoded, or another scheme's credentials")
        }
        _ => None,
    };
    let shown = Decoded::new("unknown token", token).with("first bytes", format!("{}{more}", tree::hex(first)));
    match looks_like {
        Some(what) => shown.with("looks like", what),
        None => shown,
    }
}
