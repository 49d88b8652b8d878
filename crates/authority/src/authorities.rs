use crate::settings::{KerberosPolicy, ReplayPlace};
use crate::{KeytabAuthority, KeytabError, ReplayCache, Replays, SeenStore};
use portcullis::kerberos::Cause;
use portcullis::{Answer, Authority, Question};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// One authority made of several: each question goes to the one that its kind is for.
///
/// ```
/// use portcullis_authority::{Authorities, ReplayCache, Replays};
/// use std::sync::Arc;
/// # fn of(directory: Arc<dyn portcullis::Authority>) -> Authorities {
/// let replays = Arc::new(Replays::in_memory(Arc::new(ReplayCache::default())));
/// let authority = Authorities { accounts: directory, tickets: None, replays };
/// assert!(!authority.opens_tickets());
/// # authority
/// # }
/// ```
#[derive(Clone)]
pub struct Authorities {
    /// For passwords, their proofs, and certificates, and whether a KDC made a PAC: a [`Directory`](crate::Directory).
    pub accounts: Arc<dyn Authority>,
    /// For Kerberos tickets: a [`KeytabAuthority`]. Where there is none they are refused as
    /// [`Cause::NoKeytab`].
    pub tickets: Option<Arc<dyn Authority>>,
    /// For Kerberos authenticators: [`Replays`].
    pub replays: Arc<dyn Authority>,
}

impl Authorities {
    /// Whether Kerberos tickets are opened at all.
    pub fn opens_tickets(&self) -> bool {
        self.tickets.is_some()
    }
}

impl Authority for Authorities {
    fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::OpenTicket(asked) => match &self.tickets {
                Some(tickets) => tickets.answer(question),
                None => asked.refuse(Cause::NoKeytab),
            },
            Question::SeenBefore(_) => self.replays.answer(question),
            _ => self.accounts.answer(question),
        }
    }
}

impl std::fmt::Debug for Authorities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authorities").field("opens_tickets", &self.opens_tickets()).finish_non_exhaustive()
    }
}

/// What of Kerberos must outlive a reading anew of the settings: which authenticators were seen, and which keys a keytab
/// had until lately.
#[derive(Debug, Default)]
pub struct Lasting {
    cache: Arc<ReplayCache>,
    keytab: Mutex<Option<Arc<KeytabAuthority>>>,
}

impl Lasting {
    /// Nothing seen yet, no keytab.
    pub fn new() -> Self {
        Self::default()
    }

    /// The authenticators that were seen.
    pub fn cache(&self) -> &Arc<ReplayCache> {
        &self.cache
    }

    /// An authority by these settings, over the accounts and the store of authenticators that belong to them.
    ///
    /// # Errors
    /// When the settings name another keytab than before, and that cannot be used; what was stays in use then.
    pub fn authorities(
        &self,
        policy: &KerberosPolicy,
        accounts: Arc<dyn Authority>,
        store: Arc<dyn SeenStore>,
    ) -> Result<Authorities, KeytabError> {
        let tickets = match &policy.keytab {
            Some(path) => Some(self.keytab(path, policy)? as Arc<dyn Authority>),
            None => {
                *self.keytab.lock().unwrap_or_else(PoisonError::into_inner) = None;
                None
            }
        };
        self.cache.set_entries(policy.replay_entries);
        let cache = Arc::clone(&self.cache);
        let replays = Arc::new(match policy.replay {
            ReplayPlace::Memory => Replays::in_memory(cache),
            ReplayPlace::Store => Replays::stored(cache, store),
        });
        Ok(Authorities { accounts, tickets, replays })
    }

    fn keytab(&self, path: &Path, policy: &KerberosPolicy) -> Result<Arc<KeytabAuthority>, KeytabError> {
        let mut held = self.keytab.lock().unwrap_or_else(PoisonError::into_inner);
        let keytab = match held.as_ref().filter(|keytab| keytab.path() == path) {
            Some(keytab) => {
                keytab.set_options(policy.keytab_options());
                keytab.refresh();
                Arc::clone(keytab)
            }
            None => Arc::new(KeytabAuthority::open(path, policy.keytab_options())?),
        };
        *held = Some(Arc::clone(&keytab));
        Ok(keytab)
    }
}
