//! Kerberos in C: programs over the shipped header, with tickets of MIT's KDC and of Samba's, and with MIT's own library on
//! the other side.
//!
//! - `realm` makes keytabs and credential caches, `program` compiles and runs;
//! - `semantics`: every promise of the functions, both sides in one process;
//! - `peers`: python-gssapi on either side, and curl;
//! - `stores`: beside an account store, and an authority's process;
//! - `directory`: a domain of Active Directory, whose tickets name accounts.
//!
//! A missing tool fails its test; `cargo xtask peers` installs them all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a test"
)]

#[path = "../c_programs/compile.rs"]
#[allow(dead_code, reason = "other tests have use for the rest")]
mod compile;
mod directory;
#[path = "../harness/mod.rs"]
mod harness;
mod peers;
mod realm;
mod semantics;
#[path = "../c_programs/store.rs"]
#[allow(dead_code, reason = "other tests have use for the rest")]
mod store;
mod stores;
