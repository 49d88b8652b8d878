use crate::handshake::Step;
use crate::{NeedsToken, PackageInfo, Role};
use portcullis_wire::der::Oid;
use std::fmt;
use std::sync::Arc;

/// What one side is before anyone calls: immutable, and shared by any number of handshakes and threads.
#[derive(Clone)]
pub struct Credential {
    package: Arc<dyn Package>,
    role: Role,
}

impl Credential {
    /// A credential that accepts clients by `package`.
    pub fn acceptor<P: AcceptorPackage>(package: P) -> Self {
        Self { package: package.into_package(), role: Role::Acceptor }
    }

    /// A credential that logs on to servers by `package`.
    pub fn initiator<P: InitiatorPackage>(package: P) -> Self {
        Self { package: package.into_package(), role: Role::Initiator }
    }

    /// Begins a handshake. Everything about the peer lives in what it gives. An initiator speaks first: its first
    /// token comes from an empty one.
    pub fn begin(&self) -> NeedsToken {
        NeedsToken(Arc::clone(&self.package).begin())
    }

    /// The row of the credential's package.
    pub fn package(&self) -> &'static PackageInfo {
        self.package.info()
    }

    /// Which side it is.
    pub fn role(&self) -> Role {
        self.role
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("package", &self.package().name).field("role", &self.role).finish()
    }
}

/// The configuration of an acceptor, to be made into a [`Credential`]. Sealed: the packages are those of this library.
#[allow(private_bounds, reason = "sealed on purpose")]
pub trait AcceptorPackage: Sealed {}

/// The configuration of an initiator, to be made into a [`Credential`]. Sealed: the packages are those of this library.
#[allow(private_bounds, reason = "sealed on purpose")]
pub trait InitiatorPackage: Sealed {}

pub(crate) trait Sealed {
    fn into_package(self) -> Arc<dyn Package>;
}

/// One side of a package, configured.
pub(crate) trait Package: Send + Sync {
    fn info(&self) -> &'static PackageInfo;
    fn begin(self: Arc<Self>) -> Box<dyn Step>;

    /// The OIDs under which Negotiate offers it; by configuration more than the table's.
    fn mechanism_oids(&self) -> &'static [Oid<'static>] {
        self.info().mechanism_oids
    }
}
