//! TLS as far as it is read outside the TLS library: where records end (RFC 8446 §5.1), and what the two hellos say in
//! the clear (§4.1).

mod hello;
mod record;

pub use hello::{Handshake, Hello, extension, find_handshake};
pub use record::{ContentType, Foreign, MAX_CIPHERTEXT, MAX_PLAINTEXT, RecordHeader, Split, first};
