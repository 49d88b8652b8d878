//! Programs that nobody here wrote log on over real sockets.
//!
//! `cargo xtask peers` installs them; a missing one fails its test and never skips it. What they are told and what
//! they print is in `interop/README.md`. One binary, a module for each matter:
//!
//! - `harness` runs the `portcullis` of this workspace and reads its audit log;
//! - `peers` runs the clients; `clients` lets each of them log on and be refused, `browser` a browser;
//! - `negotiate`: the clients of Negotiate;
//! - `initiator`: our client and the servers of others; `connect`: it as a tool, also against servers that misbehave;
//! - `causes`: one client-made logon for each reason to refuse;
//! - `odd`: tokens that a relay or an attacker would send;
//! - `mix`, `half_open`: many connections at a time;
//! - `kerberos`: everything about tickets, with KDCs of MIT and Samba;
//! - `seal`: signed and sealed messages both ways, with the testkit's TCP service;
//! - `tls`: the same through HTTPS, and what TLS clients, proxies and attackers do;
//! - `timing`: measures, asserts little, and runs only when asked to.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a test"
)]

mod browser;
mod causes;
mod clients;
mod connect;
mod half_open;
mod harness;
mod initiator;
mod kerberos;
mod mix;
mod negotiate;
mod odd;
mod peers;
mod raw;
mod seal;
mod timing;
mod tls;
