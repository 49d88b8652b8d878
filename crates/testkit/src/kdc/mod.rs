//! Key distribution centres that nobody here wrote: MIT's `krb5kdc` and Samba's.
//!
//! Each lives in a folder of its own and listens on a loopback port that the system chose; it needs neither root nor a
//! namespace, and ends when its value is dropped or the process dies. `cargo xtask peers` installs the programs; where
//! one is missing, or fails where it must not, these functions panic and say what it said.
//!
//! ```no_run
//! use portcullis_testkit::kdc::{Enctype, MitRealm};
//!
//! let realm = MitRealm::start();
//! realm.service("HTTP/localhost", &[Enctype::Aes256Sha1]);
//! let keytab = realm.keytab("http.keytab", &["HTTP/localhost"]);
//! let alice = realm.client();
//! alice.log_on(MitRealm::ALICE, MitRealm::PASSWORD).unwrap();
//! // A program that runs with `alice.environment()` finds her tickets, a server the service's keys in `keytab`.
//! # let _ = keytab;
//! ```

mod client;
mod mit;
mod process;
mod samba;

pub use client::Client;
pub use mit::MitRealm;
pub use samba::SambaDomain;

/// The encryption types that keys are made of (RFC 3961's number space).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enctype {
    /// aes128-cts-hmac-sha1-96 (RFC 3962).
    Aes128Sha1,
    /// aes256-cts-hmac-sha1-96 (RFC 3962).
    Aes256Sha1,
    /// aes128-cts-hmac-sha256-128 (RFC 8009).
    Aes128Sha2,
    /// aes256-cts-hmac-sha384-192 (RFC 8009).
    Aes256Sha2,
    /// rc4-hmac (RFC 4757).
    Rc4,
    /// camellia128-cts-cmac (RFC 6803).
    Camellia128,
    /// camellia256-cts-cmac (RFC 6803).
    Camellia256,
}

impl Enctype {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Aes256Sha1,
        Self::Aes128Sha1,
        Self::Aes256Sha2,
        Self::Aes128Sha2,
        Self::Camellia256,
        Self::Camellia128,
        Self::Rc4,
    ];

    /// What MIT's configuration calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128Sha1 => "aes128-cts-hmac-sha1-96",
            Self::Aes256Sha1 => "aes256-cts-hmac-sha1-96",
            Self::Aes128Sha2 => "aes128-cts-hmac-sha256-128",
            Self::Aes256Sha2 => "aes256-cts-hmac-sha384-192",
            Self::Rc4 => "arcfour-hmac",
            Self::Camellia128 => "camellia128-cts-cmac",
            Self::Camellia256 => "camellia256-cts-cmac",
        }
    }

    /// Its number on the wire.
    pub const fn number(self) -> i32 {
        match self {
            Self::Aes128Sha1 => 17,
            Self::Aes256Sha1 => 18,
            Self::Aes128Sha2 => 19,
            Self::Aes256Sha2 => 20,
            Self::Rc4 => 23,
            Self::Camellia128 => 25,
            Self::Camellia256 => 26,
        }
    }

    fn names(of: &[Self], suffix: &str) -> String {
        of.iter().map(|enctype| format!("{}{suffix}", enctype.name())).collect::<Vec<_>>().join(" ")
    }
}
