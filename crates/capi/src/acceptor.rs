//! The side of a credential that accepts: what it offers, and who judges its clients.

use crate::code::Code;
use crate::host::{self, Accounts};
use crate::identity::Identity;
use crate::kerberos::Keys;
use crate::secrets::{HostSecrets, OneAccount};
use library::kerberos::{Kerberos, ServiceNames, TicketGranting};
use library::{Answer, PackageInfo, Question, package};
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
        let tickets =
            if offers { Opens::find(package, identity.as_ref(), initiates, &kerberos, &accounts)? } else { None };
        let judge = Judge::new(package, identity, initiates, accounts);
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
        package: &'static PackageInfo,
        identity: Option<&Identity>,
        initiates: bool,
        kerberos: &Kerberos,
        accounts: &Accounts,
    ) -> Result<Option<Self>, Code> {
        let services = &kerberos.services;
        let brought = identity.map(|identity| &identity.kerberos);
        // Of a credential for one account nobody else is let in: what the process has of keys is not for it.
        let for_one =
            package == &package::NEGOTIATE && !initiates && identity.is_some_and(|identity| !identity.user.is_empty());
        let keys = match brought {
            Some(brought) if for_one => Keys::brought(brought, services)?,
            brought => Keys::find(brought, services, accounts)?,
        };
        let keys = keys.or(kerberos.user_to_user.is_some().then_some(Keys::None));
        Ok(keys.map(|keys| Self { keys, services: services.clone() }))
    }
}

impl Judge {
    /// The store, where one judges.
    pub(crate) fn accounts(&self) -> &Accounts {
        match self {
            Self::Store(accounts) => accounts,
            Self::One(_) | Self::Host(_) => &Accounts::None,
        }
    }

    fn new(package: &'static PackageInfo, identity: Option<Identity>, initiates: bool, accounts: Accounts) -> Self {
        match (identity, accounts) {
            // Who says with one identity both who it is and whom it accepts means the second only where nobody else does.
            (Some(_), accounts) if initiates && accounts != Accounts::None => Self::Store(accounts),
            (Some(identity), accounts) if !identity.host.is_empty() => match accounts {
                Accounts::None => Self::Host(identity.host),
                store => {
                    tracing::warn!("an account store is configured: the host's SAM file or hash function is not used");
                    Self::Store(store)
                }
            },
            // With a keytab an identity is the service's own, and not its client's.
            (Some(identity), _)
                if !identity.user.is_empty() && package != &package::KERBEROS && !identity.kerberos.has_keys() =>
            {
                Self::One(Arc::new(OneAccount::new(&identity.user, &identity.domain, identity.nt_hash())))
            }
            // An identity that names nobody may still say which packages are meant.
            (_, Accounts::None) => Self::Host(HostSecrets::default()),
            (_, store) => Self::Store(store),
        }
    }
}

/// The services in pszPrincipal: names between commas.
fn services(principal: &str) -> ServiceNames {
    let names = principal.split(',').map(str::trim).filter(|name| !name.is_empty());
    let names: Vec<_> = names.map(str::to_owned).collect();
    if names.is_empty() { ServiceNames::Any } else { ServiceNames::List(names) }
}
