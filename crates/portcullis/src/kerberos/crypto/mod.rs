//! Kerberos' cryptography: what RFC 3961 calls a profile, for the encryption types that a service meets today.
//!
//! | number | encryption type | defined in | message's layout | key derivation |
//! |---|---|---|---|---|
//! | 17, 18 | `aes128-cts-hmac-sha1-96`, `aes256-…` | RFC 3962 | E(confounder, data), then a MAC over the plaintext | n-fold and CBC (RFC 3961 §5.1) |
//! | 19, 20 | `aes128-cts-hmac-sha256-128`, `aes256-cts-hmac-sha384-192` | RFC 8009 | the same, with the MAC over the ciphertext | SP 800-108, counter, HMAC |
//! | 25, 26 | `camellia128-cts-cmac`, `camellia256-cts-cmac` | RFC 6803 | E(confounder, data), then a MAC over the plaintext | SP 800-108, feedback, CMAC |
//! | 23 | `rc4-hmac` | RFC 4757 | a MAC over the plaintext, then RC4 | HMAC-MD5 |
//!
//! Everything works in place and without allocation. MACs are compared in constant time; what fails to verify is
//! overwritten with zeros. Single and triple DES are known by name only.

mod cipher;
mod cts;
mod derive;
mod enctype;
mod key;
mod mac;
#[cfg(test)]
mod tests;

pub(crate) use cipher::Piece;
pub use cipher::{BadIntegrity, Cipher};
pub use enctype::Enctype;
pub use key::Key;
pub use mac::{ChecksumKey, Mac};
