//! The suite over the store that lives in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a test"
)]

#[macro_use]
mod suite;

stores! { |_folder| portcullis_authority::Memory::new() }
