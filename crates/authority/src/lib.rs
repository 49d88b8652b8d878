//! Those who answer the questions of Portcullis' handshakes.
#![forbid(unsafe_code)]

mod domain;
mod hours;
mod moment;
mod policy;

pub use domain::{BadDomainName, Domain, DomainNames, Foreign, LocalNames};
pub use hours::{LogonHours, NotLogonHours};
pub use policy::{LockoutPolicy, PasswordPolicy, PasswordRefused, Policy};
