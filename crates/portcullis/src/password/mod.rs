//! A password sent as it is: HTTP Basic (RFC 7617), and the simple binds of LDAP later.
//!
//! ```text
//!   AwaitPassword ──user:password──► VerifyPassword? ──► AwaitVerdict ──► Context
//! ```
//!
//! It is a package so that every scheme of every endpoint runs through one [`crate::Handshake`] and one authority.
//! The context has no keys. Whether the channel may carry a password is for the host to say.

mod accept;
mod cause;
mod verify;

pub(crate) use accept::VERSION;

pub use cause::Cause;
pub use verify::{Verified, verify};

use crate::credential::{AcceptorPackage, Package, Sealed};
use crate::handshake::Step;
use crate::{PackageInfo, package};
use std::sync::Arc;

/// The configuration of an acceptor of plain passwords: there is nothing to configure.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Password {}

impl Password {
    /// An acceptor of plain passwords.
    pub const fn new() -> Self {
        Self {}
    }
}

impl AcceptorPackage for Password {}

impl Sealed for Password {
    fn into_package(self) -> Arc<dyn Package> {
        Arc::new(self)
    }
}

impl Package for Password {
    fn info(&self) -> &'static PackageInfo {
        &package::PASSWORD
    }

    fn begin(self: Arc<Self>) -> Box<dyn Step> {
        accept::begin()
    }
}
