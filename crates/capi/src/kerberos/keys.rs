//! The keys of a service: who opens the tickets of an acceptor's clients.

use super::{files, process};
use crate::code::Code;
use crate::environment;
use crate::host::{self, Accounts};
use crate::identity::OfKerberos;
use library::kerberos::{Cause, ServiceKeys, ServiceNames, open_ticket};
use library::{Answer, Authority as _, Question, Refusal};
use portcullis_authority::KeytabAuthority;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

/// Who opens an acceptor's tickets, and knows which were seen before.
#[derive(Clone)]
pub(crate) enum Keys {
    /// This process, by a keytab that the caller gave whole.
    Given(Arc<ServiceKeys>),
    /// This process, by a keytab in a file, which is read again when it changes.
    File(Arc<KeytabAuthority>),
    /// The authority's process.
    Elsewhere(Accounts),
    /// Nobody: the acceptor takes tickets under its own session key alone (user-to-user).
    None,
}

impl Keys {
    /// The keys for `services` that the first of these brings which names any: the identity itself, PortcullisSetKeytab,
    /// the configuration, the authority's process, KRB5_KTNAME. `Ok(None)` where none does, or the last one's are not good.
    pub(crate) fn find(
        identity: Option<&OfKerberos>,
        services: &ServiceNames,
        accounts: &Accounts,
    ) -> Result<Option<Self>, Code> {
        if let Some(keys) = identity.map(|identity| Self::brought(identity, services)).transpose()?.flatten() {
            return Ok(Some(keys));
        }
        if let Some(path) = process::keytab()? {
            return Self::at(&path, services).map(Some).map_err(unusable);
        }
        if host::opens_tickets(accounts)? {
            return Ok(Some(Self::Elsewhere(accounts.clone())));
        }
        let Some(name) = environment::variable(c"KRB5_KTNAME") else { return Ok(None) };
        let found = Self::named(&name, services);
        Ok(found.inspect_err(|why| tracing::warn!(why, "KRB5_KTNAME names no keytab that can be used")).ok())
    }

    /// Those of the identity alone.
    pub(crate) fn brought(identity: &OfKerberos, services: &ServiceNames) -> Result<Option<Self>, Code> {
        if let Some(keytab) = &identity.keytab {
            let keys = ServiceKeys::from_keytab(keytab.expose()).map_err(|error| error.to_string());
            let keys = keys.and_then(|keys| for_services(&keys, services).map(|()| keys)).map_err(unusable)?;
            return Ok(Some(Self::Given(Arc::new(keys))));
        }
        let Some(name) = &identity.keytab_file else { return Ok(None) };
        Self::named(name, services).map(Some).map_err(unusable)
    }

    fn named(name: &OsStr, services: &ServiceNames) -> Result<Self, String> {
        let path = files::path(name).ok_or_else(|| format!("{}: a keytab that is no file", name.display()))?;
        Self::at(&path, services)
    }

    fn at(path: &Path, services: &ServiceNames) -> Result<Self, String> {
        let keytab = process::open(path)?;
        let keys = process::inside(|| keytab.keys());
        for_services(&keys, services).map_err(|why| format!("{}: {why}", path.display()))?;
        Ok(Self::File(keytab))
    }

    /// The first key's principal, where the keys are known here.
    pub(crate) fn name(&self, services: &ServiceNames) -> Option<String> {
        let keys = match self {
            Self::Given(keys) => Arc::clone(keys),
            Self::File(keytab) => process::inside(|| keytab.keys()),
            Self::Elsewhere(_) | Self::None => return None,
        };
        let mut keys = keys.keys().iter();
        keys.find(|key| services.allow(&key.principal)).map(|key| key.principal.clone())
    }

    /// What is said to a question about a ticket.
    pub(crate) fn answer(&self, question: &Question, accounts: &Accounts) -> Answer {
        match (self, question) {
            (Self::Elsewhere(accounts), _) => match host::open(accounts) {
                Ok(authority) => authority.answer(question),
                Err(_) => question.refuse(host::NOBODY),
            },
            (_, Question::SeenBefore(_)) => process::seen_before(question, accounts),
            // Nobody here knows a KDC.
            (_, Question::ConfirmPac(asked)) => asked.not_asked(),
            (Self::Given(keys), Question::OpenTicket(asked)) => match open_ticket(keys, &ServiceNames::Any, asked) {
                Ok(opened) => asked.accept(opened),
                Err(denied) => asked.refuse(denied),
            },
            (Self::File(keytab), Question::OpenTicket(_)) => process::inside(|| keytab.answer(question)),
            (Self::None, Question::OpenTicket(asked)) => asked.refuse(Cause::NoKeytab),
            _ => question.refuse(Refusal::NotAnswered),
        }
    }
}

/// Whether a keytab has a key for one of these services.
fn for_services(keys: &ServiceKeys, services: &ServiceNames) -> Result<(), String> {
    if keys.keys().iter().any(|key| services.allow(&key.principal)) {
        return Ok(());
    }
    let held: Vec<_> = keys.keys().iter().map(|key| key.principal.as_str()).collect();
    Err(format!("no key for {services:?} that can be used; there are keys of {held:?}"))
}

/// A keytab that was named is the one that is meant: nothing else takes its place.
pub(crate) fn unusable(why: String) -> Code {
    tracing::error!(why, "the keytab cannot be used");
    Code::NO_CREDENTIALS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keytabs_that_are_of_no_use() {
        let any = &ServiceNames::Any;
        for bytes in [&b""[..], b"no keytab", &[5, 2], &[5, 2, 0, 0, 0, 9, 1]] {
            let brought = OfKerberos { keytab: Some(bytes.to_vec().into()), ..OfKerberos::default() };
            assert_eq!(Keys::brought(&brought, any).err(), Some(Code::NO_CREDENTIALS), "{bytes:?}");
        }
        for name in ["KEYRING:here", "/nonexistent/keytab"] {
            let brought = OfKerberos { keytab_file: Some(name.into()), ..OfKerberos::default() };
            assert_eq!(Keys::brought(&brought, any).err(), Some(Code::NO_CREDENTIALS));
        }
        assert!(matches!(Keys::brought(&OfKerberos::default(), any), Ok(None)));
    }
}
