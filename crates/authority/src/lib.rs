//! Those who answer the questions of Portcullis' handshakes.
//!
//! A [`Directory`] is an [`Authority`](portcullis::Authority) over a [`Store`]: it finds whom a client means, opens the
//! account's sealed [`SecretRecord`], compares the proof, and only then looks at the account's state. [`Memory`] and
//! [`Sqlite`] are stores; each passes the suite in `tests/suite`. [`bootstrap`] makes a data folder, [`Audit`] writes
//! down each decision. [`KeytabAuthority`] opens Kerberos tickets, [`Replays`] knows which of their tokens came before,
//! and [`Authorities`] is all of them in one. [`remote`] asks an authority in another process. [`settings`] are what a
//! configuration file says of all this.
//!
//! ```
//! use portcullis_authority::*;
//!
//! # fn main() -> Result<(), OpenError> {
//! # let folder = tempfile::tempdir().unwrap();
//! # let folder = folder.path().join("data");
//! let made = bootstrap(&folder, &DomainNames::of_this_host(), Some("admin"))?;
//! let (name, password) = made.first.unwrap(); // to be shown, once
//! assert_eq!((name.as_str(), password.expose().len()), ("admin", 23));
//!
//! let directory = Directory::open_sqlite(&folder, LocalNames::default())?;
//! assert!(directory.account("ADMIN")?.sid.to_string().starts_with("S-1-5-21-"));
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod administration;
mod audit;
mod authorities;
#[cfg(feature = "sqlite")]
mod bootstrap;
mod certificate_mapping;
mod certificates;
mod directory;
mod domain;
mod entry;
mod hours;
mod key_ring;
mod keytab;
mod lockout;
mod memory;
mod moment;
mod policy;
pub mod remote;
mod replay;
mod rotation;
mod seal;
mod secret_record;
pub mod settings;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod ticket_file;

pub use administration::{AdminError, BatchError, NewAccount, NewSecret};
pub use audit::{Audit, Record};
pub use authorities::{Authorities, Lasting};
#[cfg(feature = "sqlite")]
pub use bootstrap::{Bootstrapped, DataFolder, OpenError, bootstrap, random_password};
pub use certificate_mapping::{CertificateMapping, identities};
pub use directory::{Clock, Directory};
pub use domain::{BadDomainName, Domain, DomainNames, Foreign, LocalNames};
pub use entry::{AccountEdit, AccountEntry, GroupEntry, Member, NewEntry};
pub use hours::{LogonHours, NotLogonHours};
pub use key_ring::{KeyError, KeyRing, KeySource, Keys};
pub use keytab::{KeytabAuthority, KeytabError, KeytabOptions, MAX_KEYTAB, read_keytab};
pub use lockout::{AccountKey, AddressKey, Attempt, Gate, LockEntry};
pub use memory::Memory;
pub use policy::{LockoutPolicy, PasswordPolicy, PasswordRefused, Policy};
pub use replay::{ReplayCache, ReplayCounts, Replays, Seen, SeenStore};
pub use rotation::Rotated;
pub use seal::{KeyId, MasterKey, NotAKey, SealError, Sealed};
pub use secret_record::{DIGEST_FORMS, Owner, SecretRecord};
#[cfg(feature = "sqlite")]
pub use sqlite::Sqlite;
pub use store::{Found, Lookup, MAX_GROUPS, Rotation, Store, StoreError};
pub use ticket_file::{TicketFile, Tickets};
