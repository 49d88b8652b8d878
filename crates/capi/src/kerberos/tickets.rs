//! The tickets that a client has: a credential cache in a file.

use super::files::{self, Stamp};
use crate::environment;
use crate::identity::Identity;
use library::Secret;
use library::kerberos::{Initiator, TicketGranting};
use portcullis_wire::kerberos::{Ccache, KerberosTime, unparse_components};
use portcullis_wire::utf16;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

/// A client's tickets, as its cache held them when it was read.
#[derive(Clone)]
pub(crate) struct Tickets {
    path: PathBuf,
    stamp: Stamp,
    /// They as an initiator.
    pub(crate) initiator: Initiator,
    /// Whose they are: `ann@EXAMPLE`.
    pub(crate) client: String,
    /// When the ticket-granting ticket ends, else the last of the others; `None` without any.
    pub(crate) end: Option<SystemTime>,
    /// The ticket-granting ticket, for who accepts by it (user-to-user).
    pub(crate) granting: Option<Arc<TicketGranting>>,
}

impl Tickets {
    /// The tickets that an identity brings, else those of KRB5CCNAME: of whoever the caller says it is, where it says so.
    /// What cannot be used is logged, and is none.
    pub(crate) fn find(identity: Option<&Identity>, principal: Option<&str>) -> Option<Self> {
        let brought = identity.and_then(|identity| identity.kerberos.cache.clone());
        let name = brought.or_else(|| environment::variable(c"KRB5CCNAME"))?;
        let Some(path) = files::path(&name) else {
            tracing::warn!(?name, "a credential cache that is no file is not used");
            return None;
        };
        let tickets = Self::at(path).inspect_err(|why| tracing::warn!(why, "no credential cache")).ok()?;
        let user = identity.map(|identity| (identity.user.as_str(), identity.domain.as_str()));
        let meant = user.into_iter().chain(principal.map(|principal| (principal, "")));
        for (user, domain) in meant.filter(|(user, _)| !user.is_empty()) {
            if !is_of(&tickets.client, user, domain) {
                let client = &tickets.client;
                tracing::warn!(
                    client,
                    user,
                    domain,
                    "the tickets of the credential cache are another's: they are not used"
                );
                return None;
            }
        }
        Some(tickets)
    }

    fn at(path: PathBuf) -> Result<Self, String> {
        let (bytes, stamp) = files::read(&path)?;
        let why = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let initiator = Initiator::from_ccache(bytes.expose()).map_err(|error| why(&error))?;
        let Whose { client, end } = whose(&bytes).map_err(|error| why(&error))?;
        let granting = TicketGranting::from_ccache(bytes.expose()).ok().map(Arc::new);
        Ok(Self { path, stamp, initiator, client, end, granting })
    }

    /// The same tickets as the file holds them now, where it was changed and can be used; tickets that another got in the
    /// same place are not the same.
    pub(crate) fn newer(&self) -> Option<Self> {
        let now = Stamp::of(&self.path)?;
        if now == self.stamp {
            return None;
        }
        Self::at(self.path.clone()).ok().filter(|newer| newer.client == self.client)
    }
}

struct Whose {
    client: String,
    end: Option<SystemTime>,
}

/// Whose a cache is, and until when.
fn whose(bytes: &Secret<Vec<u8>>) -> Result<Whose, portcullis_wire::Error> {
    let cache = Ccache::decode(bytes.expose())?;
    let mut client = String::new();
    let principal = &cache.default_principal;
    unparse_components(principal.components(), principal.realm, &mut client);
    let (mut granting, mut others) = (None::<KerberosTime>, None);
    for credential in cache.credentials() {
        let credential = credential?;
        if credential.configuration().is_some() {
            continue;
        }
        let end = Some(credential.times.endtime);
        match credential.server.components().next() == Some(b"krbtgt") && credential.server.realm == principal.realm {
            true => granting = granting.max(end),
            false => others = others.max(end),
        }
    }
    Ok(Whose { client, end: granting.or(others).and_then(|end| end.to_system()) })
}

/// Whether a principal is who a caller names: by `name@REALM`, or by a name and a domain, which is the realm or its first
/// label; a caller who names no domain means any.
fn is_of(principal: &str, user: &str, domain: &str) -> bool {
    if utf16::same_name(principal, user) {
        return true;
    }
    let (name, realm) = principal.rsplit_once('@').unwrap_or((principal, ""));
    let label = realm.split('.').next().unwrap_or_default();
    utf16::same_name(name, user)
        && (domain.is_empty() || utf16::same_name(realm, domain) || utf16::same_name(label, domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_tickets_they_are() {
        for (user, domain, is) in [
            ("ann", "", true),
            ("ANN", "corp.example", true),
            ("ann", "CORP", true),
            ("ann@corp.example", "", true),
            ("ann@CORP.EXAMPLE", "ELSEWHERE", true),
            ("ann", "ELSEWHERE", false),
            ("ann", "COR", false),
            ("ben", "", false),
            ("ann@elsewhere.example", "", false),
        ] {
            assert_eq!(is_of("ann@CORP.EXAMPLE", user, domain), is, "{domain}\\{user}");
        }
        assert!(is_of("host/web.example@EXAMPLE", "host/web.example", ""));
    }
}
