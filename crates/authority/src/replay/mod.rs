//! Was this Kerberos authenticator seen before? Answered from memory, or from memory and a store behind it.
//!
//! ```text
//!   SeenBefore ──► ReplayCache (this process) ── never ──► SeenStore (all processes of a store) ── never ──► Fresh
//!                        └── seen, full, unknowable ──► no ◄── seen, cannot be written ──┘
//! ```
//!
//! Whatever is not known for certain to be new is refused: what was seen, what cannot be remembered, and what may have
//! been forgotten.

mod cache;
mod shard;
mod stored;

#[cfg(feature = "sqlite")]
pub(crate) use cache::{seconds_up, whole_seconds};

pub use cache::{ReplayCache, ReplayCounts, Seen};
pub use stored::{Replays, SeenStore};
