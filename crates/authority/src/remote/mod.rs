//! An authority in another process, asked over a Unix socket.
//!
//! The process that clients talk to has no secret then: it sends questions ([`Remote`]) and gets verdicts from the one
//! that holds store and keys ([`RemoteServer`]). One connection carries one question at a time.
//!
//! ```text
//!   Remote ── hello: magic, version ──────────────► RemoteServer     (who connects: SO_PEERCRED)
//!          ◄─ hello: magic, version ───────────────
//!          ── length, id, kind, body ─────────────►  a question │ Domain │ OpensTickets │ Health │ Write
//!          ◄─ length, id, kind, body ──────────────  Accepted │ Opened │ Fresh │ Refused │ Domain │ Is │ Done │ Failed
//! ```
//!
//! Frames are bounded by [`MAX_FRAME`], every answer by a deadline, and whatever does not fit ends the connection. A
//! question that gets no answer is refused as [`portcullis::Refusal::AuthorityUnreachable`].

mod account;
mod client;
mod denied;
mod fields;
mod frame;
mod message;
mod server;
mod ticket;

pub use client::{Connect, Remote, RemoteError, connect_within};
pub use frame::{Bytes, MAX_FRAME, VERSION};
pub use message::{Asked, Reply, Request, decode_reply, decode_request};
pub use server::{Peers, RemoteServer, Service, Stop};
