//! The wire format of Kerberos: against what MIT's programs wrote, and what must be refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a test"
)]

mod authorization;
mod captured;
mod ccache;
mod gss;
mod keytab;
mod names;
mod per_message;
mod published;
mod refusals;
mod samples;
