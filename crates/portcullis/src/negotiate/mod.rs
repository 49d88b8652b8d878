//! Negotiate (SPNEGO: RFC 4178, MS-SPNG): both sides agree on a mechanism, and sign what they agreed on.
//!
//! ```text
//!   AwaitFirst ──NegTokenInit──► mechanism ⇄ AwaitResponse ──► … ──► (mechListMIC?) ──► Context
//!       │  ▲                         │                                    │
//!       │  └── hint, for an          └── AwaitVerdict (its questions)     └── AwaitListMic
//!       │      empty token
//!       └──raw token──► Direct: the mechanism alone, without a frame
//! ```
//!
//! ```text
//!   SendOffer ──► NegTokenInit ──► AwaitReply ⇄ mechanism ──► (mechListMIC?) ──► Context             (the initiator)
//! ```
//!
//! The mechanism is the first of the client's list that is offered here. An optimistic token that belongs to another
//! one is dropped, and then both sides sign the client's list: nobody on the way can have shortened it. A mechanism
//! that fails fails the handshake, and nothing weaker is tried after it. What a mechanism is the package table says
//! ([`crate::PackageInfo::mechanism_oids`]); this package knows none of them by name.
//!
//! NEGOEX is not offered. A client that lists it first (Windows computers joined to a cloud directory do) pays with one
//! more round trip and a signed list, and goes on with the next mechanism.
//!
//! Of the contract it keeps: parameters (an empty first token asks for the hint; a token in pieces is collected, and
//! with FRAGMENT_TO_FIT the output is given in pieces; `SEC_E_OK` may come with a last token, which must be sent; a
//! refusal comes with a reject token), flags and attributes (the mechanism's; INTEGRITY is always asked of it).

mod accept;
mod cause;
mod fragments;
mod initiate;
mod mechanism;
mod packages;
#[cfg(test)]
mod tests;

pub use cause::Cause;
pub use initiate::{Initiator, InitiatorMechanism};
pub use packages::{BadPackageList, PackageList};

use crate::credential::{AcceptorPackage, Package, Sealed};
use crate::handshake::Step;
use crate::{PackageInfo, package};
use portcullis_wire::der::Oid;
use portcullis_wire::spnego::NegTokenInit;
use std::sync::Arc;

/// The configuration of a Negotiate acceptor.
///
/// ```
/// use portcullis::{Credential, negotiate::Negotiate, ntlm};
/// let ntlm = ntlm::Ntlm::new(ntlm::ServerNames::standalone("WEB1"));
/// let credential = Credential::acceptor(Negotiate::offering([ntlm.into()]));
/// assert_eq!(credential.package().name, "Negotiate");
/// ```
#[derive(Clone)]
pub struct Negotiate {
    mechanisms: Vec<AcceptorMechanism>,
    /// Which of the mechanisms may be used, as SSPI's `PackageList`. Defaults to all.
    pub packages: PackageList,
}

impl Negotiate {
    /// An acceptor that offers these mechanisms. Their order is the hint's, and otherwise of no weight: the client's
    /// order decides.
    pub fn offering(mechanisms: impl IntoIterator<Item = AcceptorMechanism>) -> Self {
        Self { mechanisms: mechanisms.into_iter().collect(), packages: PackageList::default() }
    }

    /// The names of the mechanisms that the package list leaves; none of them means that every client is refused.
    pub fn offered(&self) -> impl Iterator<Item = &'static str> {
        self.mechanisms.iter().map(|mechanism| mechanism.0.info().name).filter(|name| self.packages.allows(name))
    }
}

/// An acceptor that Negotiate can offer. Made from a package's configuration.
#[derive(Clone)]
pub struct AcceptorMechanism(Arc<dyn Package>);

impl<P: AcceptorPackage + Nested> From<P> for AcceptorMechanism {
    fn from(package: P) -> Self {
        Self(package.into_package())
    }
}

/// The packages that Negotiate can hold, on either side.
pub(crate) trait Nested {}
impl Nested for crate::kerberos::Initiator {}
impl Nested for crate::kerberos::Kerberos {}
impl Nested for crate::ntlm::Ntlm {}
impl Nested for crate::ntlm::Initiator {}

/// A credential's configuration with what is computed from it once.
struct Acceptor {
    offered: Vec<Arc<dyn Package>>,
    /// The answer to an empty first token.
    hint: Vec<u8>,
}

impl Acceptor {
    /// The mechanism that an OID names, where it is offered.
    fn mechanism(&self, oid: Oid<'_>) -> Option<&Arc<dyn Package>> {
        self.offered.iter().find(|package| package.mechanism_oids().contains(&oid))
    }
}

impl AcceptorPackage for Negotiate {}

impl Sealed for Negotiate {
    fn into_package(self) -> Arc<dyn Package> {
        let Self { mechanisms, packages } = self;
        let offered: Vec<_> = mechanisms
            .into_iter()
            .map(|AcceptorMechanism(package)| package)
            .filter(|package| packages.allows(package.info().name))
            .collect();
        let oids: Vec<_> = offered.iter().flat_map(|package| package.mechanism_oids()).copied().collect();
        let mut hint = Vec::new();
        NegTokenInit::encode_hint(&oids, &mut hint);
        Arc::new(Acceptor { offered, hint })
    }
}

impl Package for Acceptor {
    fn info(&self) -> &'static PackageInfo {
        &package::NEGOTIATE
    }

    fn begin(self: Arc<Self>) -> Box<dyn Step> {
        accept::begin(self)
    }
}

impl std::fmt::Debug for Negotiate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Negotiate").field("mechanisms", &self.mechanisms).field("packages", &self.packages).finish()
    }
}

impl std::fmt::Debug for AcceptorMechanism {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.info().name)
    }
}
