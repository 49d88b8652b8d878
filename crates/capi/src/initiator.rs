//! The side of a credential that initiates: as whom, and by which packages.

use crate::code::Code;
use crate::host;
use crate::identity::Identity;
use crate::kerberos::Tickets;
use library::negotiate::{self, InitiatorMechanism, PackageList};
use library::ntlm::keys::Key;
use library::{PackageInfo, Secret, kerberos, ntlm, package};
use std::sync::Arc;
use std::time::SystemTime;

/// Immutable; another takes its place where its tickets change.
#[derive(Clone)]
pub(crate) struct Initiator {
    pub(crate) credential: library::Credential,
    /// The same for calls with a flag: without a name (ISC_REQ_NULL_SESSION), or of TLS one whose host verifies the server
    /// itself (ISC_REQ_MANUAL_CRED_VALIDATION). `None` where the package has no such clients.
    pub(crate) variant: Option<library::Credential>,
    parts: Option<Parts>,
}

/// What it is made of, but for TLS.
#[derive(Clone)]
struct Parts {
    package: &'static PackageInfo,
    account: Option<Arc<Account>>,
    tickets: Option<Tickets>,
    packages: PackageList,
}

/// As whom NTLM logs on.
enum Account {
    Nobody,
    Named { user: String, domain: String, nt_hash: Key },
}

impl Initiator {
    /// One of a package without tickets.
    pub(crate) fn of(credential: library::Credential, variant: library::Credential) -> Self {
        Self { credential, variant: Some(variant), parts: None }
    }

    /// `None` where there is nobody that it could be: neither an identity nor tickets, as far as the package has use for
    /// them.
    pub(crate) fn new(
        package: &'static PackageInfo,
        identity: Option<&Identity>,
        tickets: Option<Tickets>,
    ) -> Result<Option<Self>, Code> {
        let packages = identity.and_then(|identity| identity.packages.clone()).unwrap_or_default();
        let allows = |row: &PackageInfo| package != &package::NEGOTIATE || packages.allows(row.name);
        let account = identity.filter(|_| package != &package::KERBEROS && allows(&package::NTLM)).map(Account::of);
        let tickets = tickets.filter(|_| package != &package::NTLM && allows(&package::KERBEROS));
        if account.is_none() && tickets.is_none() {
            return Ok(None);
        }
        Parts { package, account: account.map(Arc::new), tickets, packages }.make().map(Some)
    }

    /// The same with the tickets that their file holds now, where it has changed.
    pub(crate) fn newer(&self) -> Option<Self> {
        let parts = self.parts.as_ref()?;
        let tickets = parts.tickets.as_ref()?.newer()?;
        Parts { tickets: Some(tickets), ..parts.clone() }.make().ok()
    }

    /// Whose tickets it has.
    pub(crate) fn name(&self) -> Option<String> {
        self.tickets().map(|tickets| tickets.client.clone())
    }

    /// When they end; `None` where it can also do without.
    pub(crate) fn expiry(&self) -> Option<SystemTime> {
        self.tickets().filter(|_| self.parts.as_ref().is_some_and(|parts| parts.account.is_none()))?.end
    }

    fn tickets(&self) -> Option<&Tickets> {
        self.parts.as_ref()?.tickets.as_ref()
    }
}

impl Parts {
    fn make(self) -> Result<Initiator, Code> {
        if self.package == &package::KERBEROS {
            let tickets = self.tickets.clone().ok_or(Code::NO_CREDENTIALS)?;
            let credential = library::Credential::initiator(tickets.initiator);
            return Ok(Initiator { credential, variant: None, parts: Some(self) });
        }
        let ntlm = self.account.as_deref().map(Account::ntlm).transpose()?;
        let anonymous = Account::Nobody.ntlm()?;
        if self.package == &package::NTLM {
            let credential = library::Credential::initiator(ntlm.ok_or(Code::NO_CREDENTIALS)?);
            let variant = Some(library::Credential::initiator(anonymous));
            return Ok(Initiator { credential, variant, parts: Some(self) });
        }
        let tickets = self.tickets.as_ref().map(|tickets| tickets.initiator.clone());
        let credential = self.negotiate(tickets, ntlm);
        let may_be_nobody = self.packages.allows(package::NTLM.name);
        let variant = may_be_nobody.then(|| self.negotiate(None, Some(anonymous)));
        Ok(Initiator { credential, variant, parts: Some(self) })
    }

    /// Kerberos first.
    fn negotiate(&self, tickets: Option<kerberos::Initiator>, ntlm: Option<ntlm::Initiator>) -> library::Credential {
        // As Windows: NTLM alone speaks for itself, Kerberos is always negotiated.
        let direct_when_alone = tickets.is_none();
        let mechanisms = tickets.map(InitiatorMechanism::from).into_iter().chain(ntlm.map(InitiatorMechanism::from));
        let mut negotiate = negotiate::Initiator::trying(mechanisms);
        negotiate.packages = self.packages.clone();
        negotiate.direct_when_alone = direct_when_alone;
        library::Credential::initiator(negotiate)
    }
}

impl Account {
    fn of(identity: &Identity) -> Self {
        match identity.is_nobody() {
            true => Self::Nobody,
            false => Self::Named {
                user: identity.user.clone(),
                domain: identity.domain.clone(),
                nt_hash: identity.nt_hash(),
            },
        }
    }

    fn ntlm(&self) -> Result<ntlm::Initiator, Code> {
        let mut ntlm = match self {
            Self::Nobody => ntlm::Initiator::anonymous(),
            Self::Named { user, domain, nt_hash } => {
                ntlm::Initiator::with_nt_hash(user, domain, Secret::new(*nt_hash.expose()))
            }
        };
        let names = host::names();
        ntlm.minimum_key = host::config()?.settings().ntlm(&names, "", "").minimum_key;
        ntlm.workstation = names.netbios;
        Ok(ntlm)
    }
}
