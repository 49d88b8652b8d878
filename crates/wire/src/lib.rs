//! Bytes to values and back, for the protocols behind `AcceptSecurityContext`.
//!
//! Every decoder takes the peer's bytes and gives a value that borrows from them, or an [`Error`] that says at which
//! offset, in which field, and why. No decoder touches a key, a context or a clock, none allocates by a length that
//! the peer chose, and none panics. A message that the protocol later signs keeps its bytes as received (`raw`).
//!
//! ```
//! use portcullis_wire::ntlm::{Flags, Negotiate};
//!
//! // The shortest NEGOTIATE seen in practice: signature, type and flags, no names, no version.
//! let bytes = b"NTLMSSP\0\x01\0\0\0\x06\x82\x08\0";
//! let message = Negotiate::decode(bytes).unwrap();
//! assert!(message.flags.contains(Flags::EXTENDED_SESSION_SECURITY));
//! assert_eq!(Negotiate::decode(&bytes[..15]).unwrap_err().field, "NegotiateFlags");
//! ```
#![forbid(unsafe_code)]

mod calendar;
pub mod der;
mod error;
pub mod filetime;
pub mod kerberos;
pub mod ndr;
pub mod negoex;
pub mod ntlm;
mod reader;
pub mod sid;
pub mod spnego;
pub mod tls;
mod upcase;
pub mod utf16;
mod writer;
pub mod x509;

pub use error::{Error, Kind};
pub use reader::Reader;
pub use writer::Writer;
