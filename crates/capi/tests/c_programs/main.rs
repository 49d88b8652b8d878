//! Programs in C over the shipped header: compiled by gcc and by clang with warnings as errors, linked to
//! `libportcullis.so` (or `.a`) as their users would, and run. What they check is in `tests/c`; a module for each matter:
//!
//! - `compile` compiles and runs them, `store` makes the account stores that they ask;
//! - `header`: what the header says, and what the library exports;
//! - `sample`: the documentation's server and client over sockets, and pyspnego in the place of either;
//! - `crypt`: certificates, keys and stores, made by openssl;
//! - `schannel`: TLS, with curl and openssl;
//! - `semantics`: every promise of the functions, also under valgrind and AddressSanitizer;
//! - `hijack`: a host that has functions of the same names;
//! - `process`: fork, dlclose, threads, a program with more rights than its user;
//! - `misuse`: random calls with random handles, and two threads on one context;
//! - `linked`: the static library by pkg-config;
//! - `instrumented`: the library itself with AddressSanitizer; runs only when asked to.
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

mod compile;
mod crypt;
#[path = "../harness/mod.rs"]
mod harness;
mod header;
mod hijack;
mod instrumented;
mod linked;
mod misuse;
mod process;
mod sample;
mod schannel;
mod semantics;
mod store;
