//! FreeRDP 2.11 as Debian has it, unchanged, with the C library as its SSPI module.
//!
//! `cargo xtask peers` installs it; the tests run as root, since only root may hide /etc/winpr from one process. One
//! binary, a module for each matter:
//!
//! - `server` runs `freerdp-shadow-cli`, `client` runs `xfreerdp`, `program` is what they have in common;
//! - `sam`: no store is configured; the host's own file of users decides;
//! - `store`: our store decides; `together`: two users at a time;
//! - `initiator`: our client in `xfreerdp`, and FreeRDP's own server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a test"
)]

mod client;
#[path = "../harness/mod.rs"]
mod harness;
mod initiator;
mod program;
mod sam;
mod server;
mod store;
mod together;
