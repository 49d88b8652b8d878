//! The side of a credential that accepts: what it offers, and who judges its clients.

use crate::code::Code;
use crate::host::{self, Accounts};
use crate::identity::{Identity, OfKerberos};
use crate::kerberos::Keys;
use crate::secrets::{HostSecrets, OneAccount};
use library::kerberos::{Kerberos, ServiceNames, TicketGranting};
use library::{Answer, PackageInfo, Question, package};
use portcullis_authority::settings::ReplayPlace;
use std::sync::Arc;

/// Immutable, but for a keytab that is read again when it changes.
#[derive(Clone)]
pub(crate) struct Acceptor {
    pub(crate) credential: library::Credential,
    pub(crate) judge: Judge,
    /// Who opens Kerberos' tickets, where it is offered.
    tickets: Option<Opens>,
}

/// What opens tickets: keys, for services.
#[derive(Clone)]
struct Opens {
    keys: Keys,
    services: ServiceNames,
}

/// Who says whether a client's proof is right, but for Kerberos.
#[derive(Clone)]
pub(crate) enum Judge {
    /// An account store.
    Store(Accounts),
    /// The account that the credential was acquired with.
    One(Arc<OneAccount>),
    /// The host program, by what it set when the credential was acquired, or sets in each context.
    Host(HostSecrets),
}

impl Acceptor {
    /// One of a package without tickets.
    pub(crate) fn of(credential: library::Credential, judge: Judge) -> Self {
        Self { credential, judge, tickets: None }
    }

    /// `principal` is the service that it is. `granting` is its own ticket-granting ticket, where it has one.
    pub(crate) fn new(
        package: &'static PackageInfo,
        principal: Option<&str>,
        identity: Option<Identity>,
        initiates: bool,
        granting: Option<Arc<TicketGranting>>,
    ) -> Result<Self, Code> {
        let config = host::config()?;
        let settings = config.settings();
        let accounts = host::accounts()?;
        let mut kerberos = settings.kerberos();
        if let Some(principal) = principal {
            kerberos.services = services(principal);
        }
        kerberos.user_to_user = granting;
        let packages = identity.as_ref().and_then(|identity| identity.packages.clone());
        let packages = packages.unwrap_or_else(|| settings.negotiate.packages.clone());
        let offers = match package {
            package if package == &package::KERBEROS => true,
            package if package == &package::NEGOTIATE => packages.allows(package::KERBEROS.name),
            _ => false,
        };
        let judge = Judge::new(package, identity.as_ref(), initiates, &accounts);
        let tickets = match offers {
            true => Opens::find(identity.as_ref().map(|identity| &identity.kerberos), &kerberos, &judge, &accounts)?,
            false => None,
        };
        if tickets.is_some() && settings.kerberos.replay == ReplayPlace::Store && accounts == Accounts::None {
            tracing::error!("kerberos.replay asks for the account store, and there is none");
            return Err(Code::NO_AUTHENTICATING_AUTHORITY);
        }
        let (netbios, dns) = match &judge {
            Judge::Store(accounts) => {
                let store = host::open(accounts)?;
                (store.domain().netbios.clone(), store.domain().dns.clone())
            }
            Judge::One(_) | Judge::Host(_) => (String::new(), String::new()),
        };
        if package == &package::KERBEROS {
            let tickets = Some(tickets.ok_or(Code::NO_CREDENTIALS)?);
            return Ok(Self { credential: library::Credential::acceptor(kerberos), judge, tickets });
        }
        let ntlm = settings.ntlm(&host::names(), &netbios, &dns);
        if package != &package::NEGOTIATE {
            return Ok(Self::of(library::Credential::acceptor(ntlm), judge));
        }
        let mut negotiate = settings.negotiate(tickets.is_some().then_some(kerberos), ntlm);
        negotiate.packages = packages;
        if negotiate.offered().next().is_none() {
            return Err(Code::NO_CREDENTIALS);
        }
        Ok(Self { credential: library::Credential::acceptor(negotiate), judge, tickets })
    }

    /// The service that it is, by its keys.
    pub(crate) fn name(&self) -> Option<String> {
        self.tickets.as_ref().and_then(|Opens { keys, services }| keys.name(services))
    }

    /// Whether the question is about a ticket, and what is said to it then.
    pub(crate) fn answer_of_ticket(&self, question: &Question) -> Option<Answer> {
        match question {
            Question::OpenTicket(_) | Question::SeenBefore(_) | Question::ConfirmPac(_) => Some(match &self.tickets {
                Some(tickets) => tickets.keys.answer(question, self.judge.accounts()),
                None => question.refuse(library::kerberos::Cause::NoKeytab),
            }),
            _ => None,
        }
    }
}

impl Opens {
    /// `None` where Negotiate goes on without Kerberos.
    fn find(
        brought: Option<&OfKerberos>,
        kerberos: &Kerberos,
        judge: &Judge,
        accounts: &Accounts,
    ) -> Result<Option<Self>, Code> {
        let services = &kerberos.services;
        // Where one account is let in nobody else is: what the process has of keys is not for it.
        if let Judge::One(_) = judge {
            return Ok(None);
        }
        let keys = Keys::find(brought, services, accounts)?;
        let keys = keys.or(kerberos.user_to_user.is_some().then_some(Keys::None));
        Ok(keys.map(|keys| Self { keys, services: services.clone() }))
    }
}

impl Judge {
    /// The store, where one judges.
    fn accounts(&self) -> &Accounts {
        match self {
            Self::Store(accounts) => accounts,
            Self::One(_) | Self::Host(_) => &Accounts::None,
        }
    }

    fn new(package: &'static PackageInfo, identity: Option<&Identity>, initiates: bool, accounts: &Accounts) -> Self {
        let has_store = *accounts != Accounts::None;
        match identity {
            // Who says with one identity both who it is and whom it accepts means the second only where nobody else does.
            Some(_) if initiates && has_store => Self::Store(accounts.clone()),
            Some(identity) if !identity.host.is_empty() && !has_store => Self::Host(identity.host.clone()),
            Some(identity) if !identity.host.is_empty() => {
                tracing::warn!("an account store is configured: the host's SAM file or hash function is not used");
                Self::Store(accounts.clone())
            }
            Some(identity) if identity.is_of_one_client() && package != &package::KERBEROS => {
                Self::One(Arc::new(OneAccount::new(&identity.user, &identity.domain, identity.nt_hash())))
            }
            // An identity that names nobody may still say which packages are meant.
            _ if has_store => Self::Store(accounts.clone()),
            _ => Self::Host(HostSecrets::default()),
        }
    }
}

/// The services in pszPrincipal: names between commas.
fn services(principal: &str) -> ServiceNames {
    let names = principal.split(',').map(str::trim).filter(|name| !name.is_empty());
    let names: Vec<_> = names.map(str::to_owned).collect();
    if names.is_empty() { ServiceNames::Any } else { ServiceNames::List(names) }
}
