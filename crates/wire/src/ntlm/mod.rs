//! The messages of NTLM (MS-NLMP 2.2), decoded and encoded, one file each.
//!
//! All numbers are little-endian; a variable field is a triple of length, maximum length (ignored) and offset from the
//! start of the message, and lies anywhere behind the fixed part. Tokens are not framed.

mod authenticate;
mod av_pair;
mod challenge;
mod field;
mod flags;
mod negotiate;
mod response;
mod version;

pub use authenticate::{Authenticate, AuthenticateBuilder, Charset, MIC_OFFSET, Text};
pub use av_pair::{AvFlags, AvId, AvPair, AvPairs, push_av_pair, push_av_text};
pub use challenge::Challenge;
pub use flags::Flags;
pub use negotiate::Negotiate;
pub use response::{ClientChallenge, NtResponse, Ntlmv2Response};
pub use version::Version;

/// The first eight bytes of every NTLM message.
pub const SIGNATURE: [u8; 8] = *b"NTLMSSP\0";

/// Which of the three messages a token begins like, or `None` when it is not NTLM.
pub fn message_type(token: &[u8]) -> Option<u32> {
    let rest = token.strip_prefix(&SIGNATURE)?;
    rest.first_chunk().map(|number| u32::from_le_bytes(*number))
}
