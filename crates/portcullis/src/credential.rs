use crate::handshake::Step;
use crate::{NeedsToken, PackageInfo};
use std::fmt;
use std::sync::Arc;

/// What one side is before anyone calls: immutable, and shared by any number of handshakes and threads.
#[derive(Clone)]
pub struct Credential(Arc<dyn Package>);

impl Credential {
    /// A credential that accepts clients by `package`.
    pub fn acceptor<P: AcceptorPackage>(package: P) -> Self {
        Self(package.into_package())
    }

    /// Begins a handshake. Everything about the peer lives in what it gives.
    pub fn begin(&self) -> NeedsToken {
        NeedsToken(Arc::clone(&self.0).accept())
    }

    /// The row of the credential's package.
    pub fn package(&self) -> &'static PackageInfo {
        self.0.info()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credential").field(&self.package().name).finish()
    }
}

/// A package's configuration, to be made into a [`Credential`]. Sealed: the packages are those of this library.
#[allow(private_bounds, reason = "sealed on purpose")]
pub trait AcceptorPackage: Sealed {}
impl<P: Sealed> AcceptorPackage for P {}

pub(crate) trait Sealed {
    fn into_package(self) -> Arc<dyn Package>;
}

pub(crate) trait Package: Send + Sync {
    fn info(&self) -> &'static PackageInfo;
    fn accept(self: Arc<Self>) -> Box<dyn Step>;
}
