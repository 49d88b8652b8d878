//! Kerberos (RFC 4120, RFC 4121, MS-KILE): a ticket that a KDC made for this service, and a proof that the client
//! holds its session key.
//!
//! ```text
//!   AwaitRequest ──AP-REQ──► OpenTicket? ──► AwaitTicket ──► (ConfirmPac?) SeenBefore? ──► AwaitFresh ──► (AP-REP,) Context
//!       │  ▲                                     │                               │
//!       │  └── TGT-REP, for a TGT-REQ            └── KRB-ERROR of a skew:        └── DCE style: AP-REP ──►
//!       │      (user-to-user)                        AwaitRequest, once              AwaitThirdLeg ──► Context
//! ```
//!
//! ```text
//!   SendRequest ──► AP-REQ ──► AwaitReply ──AP-REP──► (DCE style: AP-REP,) Context                   (the initiator)
//! ```
//!
//! The package asks up to three questions. [`OpenTicket`]: an authority that holds the service's keys opens the ticket
//! ([`open_ticket`]) and says whose key it was, and whether the PAC in it is signed with that key. [`ConfirmPac`]: whether a KDC
//! confirms its own signature in the PAC, where the authority can ask one. [`SeenBefore`] comes last, when everything else holds and before anything is granted: the same authenticator is good once
//! (RFC 4120 §3.2.3). What stands readable in a ticket (its service's name and realm) decides nothing: no checksum
//! covers it.
//!
//! Of the contract it keeps: parameters (one token; channel bindings), flags (by the initiator's GSS flags:
//! MUTUAL_AUTH where an AP-REP proves the server, DELEGATE where a forwarded ticket was taken, USE_SESSION_KEY for
//! user-to-user; EXTENDED_ERROR gives a KRB-ERROR token), expiry (the ticket's end), attributes (from the PAC).

mod accept;
mod authenticator;
mod cause;
mod conclude;
pub mod crypto;
mod delegation;
mod drawn;
mod error_token;
mod facts;
mod initiate;
mod keys;
mod open;
mod pac;
mod protection;
mod question;
mod reply;
mod request;
mod times;
mod user_to_user;

pub(crate) use protection::SessionKeys;

pub use cause::Cause;
pub use facts::{Delegated, PacFacts, TicketFacts};
pub use initiate::{Initiator, NoCredentials};
pub use keys::{BadKeytab, ServiceKey, ServiceKeys};
pub use open::{OpenedTicket, PacVerdict, Service, open_ticket};
pub use question::{ConfirmPac, OpenTicket, PacSignature, SeenBefore};
pub use user_to_user::TicketGranting;

use crate::credential::{AcceptorPackage, Package, Sealed};
use crate::handshake::Step;
use crate::{BindingPolicy, PackageInfo, package};
use portcullis_wire::der::Oid;
use portcullis_wire::{spnego, utf16};
use std::sync::Arc;
use std::time::Duration;

/// The configuration of a Kerberos acceptor. Its keys are an authority's: see [`OpenTicket`].
#[derive(Debug, Clone)]
pub struct Kerberos {
    /// The services that clients may mean. Defaults to any that a key is held for.
    pub services: ServiceNames,
    /// Channel bindings. Defaults to [`BindingPolicy::ByCall`].
    pub bindings: BindingPolicy,
    /// What becomes of the PAC. Defaults to [`PacPolicy::VerifyIfPresent`].
    pub pac: PacPolicy,
    /// What is asked of the KDC's own signature in a PAC. Defaults to [`KdcSignature::WhenAsked`].
    pub kdc_signature: KdcSignature,
    /// How far the clocks of client, KDC and server may differ. Defaults to five minutes.
    pub skew: Duration,
    /// What is asked of a ticket that came through other realms. Defaults to [`Transited::Trusted`].
    pub transited: Transited,
    /// Whether a ticket that names addresses is good from those alone, where the call brings the peer's. Defaults to
    /// `false`: address translation breaks it, and Windows does not look either.
    pub check_addresses: bool,
    /// The ticket-granting ticket of an account without a service's name, for user-to-user (RFC 4120 §3.7). Defaults
    /// to none.
    pub user_to_user: Option<Arc<TicketGranting>>,
    /// Whether tickets and session keys of RC4 are taken. Defaults to `false`: their keys are the password's unsalted
    /// MD4, and whoever gets such a ticket can guess the service's password at leisure (CVE-2022-37966).
    pub danger_accept_rc4: bool,
    /// Whether the same authenticator is good more than once. Defaults to `false`: with it, whoever records a token
    /// logs on as its owner for the length of the skew. For services behind a filter that verifies each token too.
    pub danger_accept_replays: bool,
}

impl Kerberos {
    /// An acceptor with the defaults of the fields.
    pub fn new() -> Self {
        Self {
            services: ServiceNames::Any,
            bindings: BindingPolicy::default(),
            pac: PacPolicy::default(),
            kdc_signature: KdcSignature::default(),
            skew: Duration::from_secs(300),
            transited: Transited::default(),
            check_addresses: false,
            user_to_user: None,
            danger_accept_rc4: false,
            danger_accept_replays: false,
        }
    }
}

impl Default for Kerberos {
    fn default() -> Self {
        Self::new()
    }
}

/// Which services clients may mean. A service is known by the key that opens the ticket, never by what the ticket says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ServiceNames {
    /// Any that a key is held for. The default.
    #[default]
    Any,
    /// One of these: `HTTP/web.example`, or with its realm `HTTP/web.example@EXAMPLE`. Case does not count.
    List(Vec<String>),
}

impl ServiceNames {
    /// Whether `principal`, which names its realm, is one of these.
    ///
    /// ```
    /// use portcullis::kerberos::ServiceNames;
    /// let ours = ServiceNames::List(vec!["http/WEB.example".into()]);
    /// assert!(ours.allow("HTTP/web.example@EXAMPLE") && !ours.allow("ldap/web.example@EXAMPLE"));
    /// ```
    pub fn allow(&self, principal: &str) -> bool {
        let without_realm = principal.rsplit_once('@').map_or(principal, |(name, _)| name);
        match self {
            Self::Any => true,
            Self::List(ours) => {
                ours.iter().any(|our| utf16::same_name(our, principal) || utf16::same_name(our, without_realm))
            }
        }
    }
}

/// What becomes of the privilege attribute certificate in a ticket (MS-PAC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PacPolicy {
    /// It is not looked at: clients are known by their principals alone, without SIDs.
    Ignore,
    /// One that is there must be signed with the service's key and fit the ticket. The default.
    #[default]
    VerifyIfPresent,
    /// There must be one, and it must name an account.
    Require,
}

/// What is asked of the KDC's own signature in a PAC ([`ConfirmPac`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KdcSignature {
    /// Where the authority can ask a KDC, the KDC must confirm it. The default.
    #[default]
    WhenAsked,
    /// A KDC must be asked, and confirm it: a ticket whose PAC is missing or not looked at is refused.
    Require,
}

/// What is asked of a ticket whose client is of another realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transited {
    /// The KDC that made the ticket is trusted with its way, as Windows trusts it. The default.
    #[default]
    Trusted,
    /// The KDC must say that it has checked the way (TRANSITED-POLICY-CHECKED, RFC 4120 §2.7).
    Checked,
}

/// A credential's configuration.
struct Acceptor {
    config: Kerberos,
    services: Arc<ServiceNames>,
}

impl AcceptorPackage for Kerberos {}

impl Sealed for Kerberos {
    fn into_package(self) -> Arc<dyn Package> {
        Arc::new(Acceptor { services: Arc::new(self.services.clone()), config: self })
    }
}

impl Package for Acceptor {
    fn info(&self) -> &'static PackageInfo {
        &package::KERBEROS
    }

    fn begin(self: Arc<Self>) -> Box<dyn Step> {
        accept::begin(self)
    }

    fn mechanism_oids(&self) -> &'static [Oid<'static>] {
        match self.config.user_to_user {
            Some(_) => &[spnego::KERBEROS_MICROSOFT, spnego::KERBEROS, spnego::KERBEROS_USER_TO_USER],
            None => self.info().mechanism_oids,
        }
    }
}
