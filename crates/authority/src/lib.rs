//! Those who answer the questions of Portcullis' handshakes.
#![forbid(unsafe_code)]

mod domain;
mod entry;
mod hours;
mod key_ring;
mod lockout;
mod moment;
mod policy;
mod seal;
mod secret_record;
mod store;

pub use domain::{BadDomainName, Domain, DomainNames, Foreign, LocalNames};
pub use entry::{AccountEdit, AccountEntry, GroupEntry, Member, NewEntry};
pub use hours::{LogonHours, NotLogonHours};
pub use key_ring::{KeyError, KeyRing, KeySource, Keys};
pub use lockout::{AccountKey, AddressKey, Attempt, Gate, LockEntry};
pub use policy::{LockoutPolicy, PasswordPolicy, PasswordRefused, Policy};
pub use seal::{KeyId, MasterKey, NotAKey, SealError, Sealed};
pub use secret_record::{DIGEST_FORMS, Owner, SecretRecord};
pub use store::{Found, Lookup, MAX_GROUPS, Reseal, Store, StoreError};
