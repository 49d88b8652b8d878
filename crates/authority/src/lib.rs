//! Those who answer the questions of Portcullis' handshakes.
#![forbid(unsafe_code)]

mod administration;
mod audit;
#[cfg(feature = "sqlite")]
mod bootstrap;
mod directory;
mod domain;
mod entry;
mod hours;
mod key_ring;
mod lockout;
mod memory;
mod moment;
mod policy;
mod rotation;
mod seal;
mod secret_record;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;

pub use administration::{AdminError, BatchError, NewAccount, NewSecret};
pub use audit::{Audit, Record};
#[cfg(feature = "sqlite")]
pub use bootstrap::{Bootstrapped, DataFolder, OpenError, bootstrap, random_password};
pub use directory::{Clock, Directory};
pub use domain::{BadDomainName, Domain, DomainNames, Foreign, LocalNames};
pub use entry::{AccountEdit, AccountEntry, GroupEntry, Member, NewEntry};
pub use hours::{LogonHours, NotLogonHours};
pub use key_ring::{KeyError, KeyRing, KeySource, Keys};
pub use lockout::{AccountKey, AddressKey, Attempt, Gate, LockEntry};
pub use memory::Memory;
pub use policy::{LockoutPolicy, PasswordPolicy, PasswordRefused, Policy};
pub use rotation::Rotated;
pub use seal::{KeyId, MasterKey, NotAKey, SealError, Sealed};
pub use secret_record::{DIGEST_FORMS, Owner, SecretRecord};
#[cfg(feature = "sqlite")]
pub use sqlite::Sqlite;
pub use store::{Found, Lookup, MAX_GROUPS, Rotation, Store, StoreError};
