//! The PAC: those of other implementations, read as they read them; those that cheat; ours, as others read them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

mod describe;
mod encoding;
mod membership;
mod ndr;
mod refusals;
mod signed_parts;
mod vectors;
