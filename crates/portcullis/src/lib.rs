//! The server side of Windows authentication: what `AcceptSecurityContext` does, on every platform and without I/O.
//!
//! A [`Credential`] is what a service is before anyone calls. [`Credential::begin`] starts a [`Handshake`], a value
//! that each token consumes. Where the library needs to know something that only an account store can tell, the
//! handshake stops at a [`Question`]; an [`Authority`] answers it with a verdict, never with a secret. At the end
//! stands a [`Context`]: who the client is ([`Facts`]), and keys to sign and seal messages.
//!
//! The library reads no clock, file, socket or random source of its own: each [`Call`] brings them.
//!
//! ```
//! use portcullis::{ntlm, *};
//! use std::time::SystemTime;
//!
//! /// Refuses everybody. `portcullis-authority` has stores that do better.
//! struct Nobody;
//! impl Authority for Nobody {
//!     fn answer(&self, question: &Question) -> Answer {
//!         question.refuse(Refusal::UnknownAccount)
//!     }
//! }
//!
//! let names = ntlm::ServerNames::standalone("WEB1");
//! let credential = Credential::acceptor(ntlm::Ntlm::new(names));
//!
//! let negotiate = b"NTLMSSP\0\x01\0\0\0\x06\x82\x08\0"; // from the client, as curl sends it
//! let mut random = |bytes: &mut [u8]| { bytes.fill(7); Ok(()) }; // a real host asks its operating system
//! let (mut events, mut challenge) = ((), Vec::new());
//! let call = Call::new(SystemTime::now(), &mut random, &mut events, &mut challenge);
//! let handshake = credential.begin().token(negotiate, call).unwrap();
//! assert!(matches!(handshake, Handshake::NeedsToken(_)));
//! assert!(challenge.starts_with(b"NTLMSSP\0\x02")); // to be sent to the client
//! ```
#![forbid(unsafe_code)]

mod account;
pub mod attribute;
mod bindings;
mod call;
mod channel;
mod context;
mod credential;
mod event;
mod export;
mod facts;
mod failure;
mod flag;
mod handshake;
pub mod kerberos;
pub mod negotiate;
pub mod ntlm;
pub mod package;
pub mod password;
mod principal;
mod protection;
mod question;
mod rc4;
mod refusal;
#[cfg(feature = "schannel")]
pub mod schannel;
mod secret;
pub mod status;
pub mod substatus;
#[cfg(test)]
mod tests;

pub use account::{AccessToken, Account, Group, Level};
pub use bindings::{BindingPolicy, BindingsOutcome, ChannelBindings, ClientBindings};
pub use call::{Call, NoRandomness, Random, Wants};
pub use channel::{Channel, CipherSuite, GROUPS, SUITES, TlsVersion};
pub use context::{Context, Opener, Sealer};
pub use credential::{AcceptorPackage, Credential, InitiatorPackage};
pub use event::{Event, Events};
pub use export::ExportKey;
pub use facts::{Facts, KeyInfo, Negotiation, Role};
pub use failure::{CallCause, Cause, CauseRow, Failure, HostCause};
pub use flag::ContextFlags;
pub use handshake::{Handshake, Inbound, NeedsAnswer, NeedsToken};
pub use package::PackageInfo;
pub use portcullis_wire::der::Oid;
pub use portcullis_wire::sid::{Sid, well_known};
pub use principal::{Claim, Principal, Realm, has_marshalled_target, target_matches};
pub use protection::{Control, Opened, Record, Segment, Sizes, StreamSizes};
pub use question::{Answer, Authority, Denied, FindAccount, Question, VerifyNtlm, VerifyPassword, Vouched};
pub use refusal::Refusal;
pub use secret::Secret;
pub use status::Status;
pub use substatus::Substatus;
