//! The suite over SQLite.
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

stores! { |folder| portcullis_authority::Sqlite::create(&folder.join("portcullis.db")).unwrap() }
