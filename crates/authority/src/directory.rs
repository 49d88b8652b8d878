use crate::secret_record::SlowMemory;
use crate::{
    AccountEntry, Attempt, Domain, Foreign, Found, Gate, KeyError, KeyRing, Keys, LocalNames, Lookup, MasterKey, Owner,
    Policy, SealError, Sealed, SecretRecord, Store, StoreError,
};
use portcullis::{Account, Answer, Authority, Claim, Question, Realm, Refusal, Secret, Sid, ntlm};
use portcullis_wire::utf16;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// Answers questions from a store of accounts.
///
/// The proof is compared before anything is said about the account, and an unknown account is compared too, with a
/// decoy: to the client, who guesses names or passwords, all refusals are one, in status, in work and in what is
/// written.
pub struct Directory<S> {
    store: S,
    keys: Keys,
    names: RwLock<Arc<LocalNames>>,
    clock: Clock,
    decoy: Decoy,
    slow: Permits,
    /// A failure could not be counted: until one can be, nobody is let in, or passwords could be guessed without end.
    uncountable: AtomicBool,
}

/// Where a directory reads the time.
pub type Clock = Box<dyn Fn() -> SystemTime + Send + Sync>;

impl<S: Store> Directory<S> {
    /// A directory over a store and the keys that its secrets are sealed under.
    ///
    /// # Errors
    /// When the store has no domain or cannot be read, or the keys do not fit it.
    pub fn new(store: S, keys: Keys, names: LocalNames) -> Result<Self, StoreError> {
        store.domain()?;
        let key = store.key_id()?;
        keys.current()?.get(key).ok_or(SealError::UnknownKey(key))?;
        Ok(Self {
            store,
            keys,
            names: RwLock::new(Arc::new(names)),
            clock: Box::new(SystemTime::now),
            decoy: Decoy::new()?,
            slow: Permits::new(),
            uncountable: AtomicBool::new(false),
        })
    }

    /// The same directory with another clock: for tests.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Changes the names that this server answers to, from the next logon on.
    pub fn set_names(&self, names: LocalNames) {
        *self.names.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(names);
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The master keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The domain.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn domain(&self) -> Result<Domain, StoreError> {
        self.store.domain()
    }

    /// Whether logons can be judged now: the store can be read and written, and its key is at hand.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn check(&self) -> Result<(), StoreError> {
        let key = self.store.key_id()?;
        self.keys.current()?.get(key).ok_or(SealError::UnknownKey(key))?;
        self.store.check_writable()
    }

    pub(crate) fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// Compares a proof by `verify` and then judges the account.
    fn judge<V>(
        &self,
        claim: &Claim,
        peer: Option<IpAddr>,
        verify: impl FnOnce(&SecretRecord) -> Option<V>,
    ) -> Result<(V, Arc<Account>), No> {
        let now = self.now();
        if self.uncountable.load(Ordering::Acquire) {
            self.store.check_writable()?;
            self.uncountable.store(false, Ordering::Release);
        }
        let (domain, policy) = (self.store.domain()?, self.store.policy()?);
        let (found, record) = self.look_up(claim, &domain)?;
        let name = found.account.as_ref().map_or(found.name, |account| account.name.as_str());
        let attempt = Attempt::new(name, peer, &policy.lockout);
        if self.store.gate(&attempt, now)? == Gate::Throttled {
            return Err(No(Refusal::Throttled));
        }

        let (Some(verified), Some(account)) = (verify(&record), &found.account) else {
            let why = match found.account {
                None => Refusal::UnknownAccount,
                Some(_) if !found.has_secret || record.is_empty_password() => Refusal::NoPassword,
                Some(_) => Refusal::WrongProof,
            };
            return Err(No(self.count(&attempt, now, &policy, why)?));
        };
        // Again, since others may have failed meanwhile: a right guess counts only among the first `threshold`.
        let failures = match self.store.gate(&attempt, now)? {
            Gate::Open { failures } => failures,
            Gate::Locked => return Err(No(Refusal::LockedOut)),
            Gate::Throttled => return Err(No(Refusal::Throttled)),
        };
        may_log_on(account, claim, &policy, now)?;
        let answer = self.describe(account, &domain, &policy, now)?;
        self.note_success(account, &attempt, failures, now);
        Ok((verified, Arc::new(answer)))
    }

    fn count(&self, attempt: &Attempt, now: SystemTime, policy: &Policy, why: Refusal) -> Result<Refusal, No> {
        match self.store.count_failure(attempt, now, &policy.lockout) {
            Ok(Gate::Open { .. }) => Ok(why),
            Ok(Gate::Locked) => Ok(Refusal::LockedOut),
            Ok(Gate::Throttled) => Ok(Refusal::Throttled),
            Err(error) => {
                self.uncountable.store(true, Ordering::Release);
                Err(error.into())
            }
        }
    }

    /// The account that is meant and its opened secret, or the decoy's.
    fn look_up<'a>(&self, claim: &'a Claim, domain: &Domain) -> Result<(Meant<'a>, SecretRecord), No> {
        let mut tries = 3;
        loop {
            let ring = self.keys.current()?;
            let (found, name) = self.find(claim, domain)?;
            let (account, sealed) = found.map_or((None, None), |found| (Some(found.account), found.sealed));
            let has_secret = sealed.is_some();
            let opened = match (&account, &sealed) {
                (Some(account), Some(sealed)) => sealed.open(&account.sid, &ring),
                _ => self.decoy.open(),
            };
            match opened {
                Ok(record) => return Ok((Meant { account, name, has_secret }, record)),
                // The key is being changed by another process: either the secret or the ring is of a moment ago.
                Err(SealError::UnknownKey(_)) if tries > 0 => tries -= 1,
                Err(error) => return Err(StoreError::Seal(error).into()),
            }
        }
    }

    /// The account that a client's name means, and the name to count failures under when there is none.
    fn find<'a>(&self, claim: &'a Claim, domain: &Domain) -> Result<(Option<Found>, &'a str), No> {
        let names = Arc::clone(&self.names.read().unwrap_or_else(PoisonError::into_inner));
        let local = |said: &str| names.foreign == Foreign::Local || names.mean(said, domain);
        let principal = claim.principal();
        match principal.realm {
            Realm::Here => Ok((self.store.find(Lookup::Name(principal.user))?, principal.user)),
            Realm::Domain(said) if local(said) => Ok((self.store.find(Lookup::Name(principal.user))?, principal.user)),
            Realm::Domain(_) => Err(No(Refusal::UnknownDomain)),
            Realm::Upn { name, suffix } => {
                // Both are looked for whatever the first gives: the work tells nothing.
                let by_upn = self.store.find(Lookup::Upn(principal.user))?;
                let by_name = self.store.find(Lookup::Name(name))?;
                let local = local(suffix);
                if !local && !self.store.serves_suffix(suffix)? {
                    return Err(No(Refusal::UnknownDomain));
                }
                let found = by_upn.or(by_name.filter(|_| local));
                Ok((found, if local { name } else { principal.user }))
            }
        }
    }

    pub(crate) fn describe(
        &self,
        account: &AccountEntry,
        domain: &Domain,
        policy: &Policy,
        now: SystemTime,
    ) -> Result<Account, No> {
        let hours_end = account.hours.end_after(now);
        let logoff_at = hours_end.into_iter().chain(account.expires).min();
        Ok(Account {
            sid: Some(account.sid),
            name: account.name.clone(),
            domain: domain.names.netbios.clone(),
            dns_domain: domain.names.dns.clone(),
            upn: account.upn.clone(),
            display_name: account.display_name.clone(),
            mail: account.mail.clone(),
            groups: self.store.groups_of(account.rid)?,
            logoff_at,
            password_expires_at: account.password_expires_at(&policy.password),
        })
    }

    /// Writes only what a success changes. That it cannot be written is no reason to refuse: nothing is let through by it.
    pub(crate) fn note_success(&self, account: &AccountEntry, attempt: &Attempt, failures: bool, now: SystemTime) {
        let stale = account.last_logon.is_none_or(|last| now.duration_since(last).is_ok_and(|age| age >= COARSE));
        let forgotten = if failures { self.store.forget_failures(attempt) } else { Ok(()) };
        let noted = if stale { self.store.note_logon(account.rid, now) } else { Ok(()) };
        if let Err(error) = forgotten.and(noted) {
            tracing::warn!(%error, account = account.name, "a logon could not be noted in the store");
        }
    }
}

impl<S: Store> Authority for Directory<S> {
    fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::VerifyNtlm(q) => match self.judge(&q.claim, q.peer, |record| ntlm::verify(record.nt_hash(), q)) {
                Ok((verified, account)) => q.accept(verified, account),
                Err(No(why)) => q.refuse(why),
            },
            Question::VerifyPassword(q) => {
                let verify = |record: &SecretRecord| {
                    let mut permit = self.slow.take();
                    record.verify_password_in(q.password.expose(), &mut permit.memory)
                };
                match self.judge(&q.claim, q.peer, verify) {
                    Ok((verified, account)) => q.accept(verified, account),
                    Err(No(why)) => q.refuse(why),
                }
            }
            Question::FindAccount(q) => match self.judge_certificate(q) {
                Ok(account) => q.accept(account),
                Err(No(why)) => q.refuse(why),
            },
            // There is no KDC behind a store of accounts.
            Question::ConfirmPac(q) => q.not_asked(),
            other => other.refuse(Refusal::NotAnswered),
        }
    }
}

impl<S> std::fmt::Debug for Directory<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").field("names", &self.names).finish_non_exhaustive()
    }
}

/// Whether the account's state lets its owner in with a password; the first reason of MS-SAMR's order that does not.
fn may_log_on(account: &AccountEntry, claim: &Claim, policy: &Policy, now: SystemTime) -> Result<(), No> {
    state_allows(account, claim, now).map_err(No)?;
    if account.must_change {
        Err(No(Refusal::MustChange))
    } else if account.password_expires_at(&policy.password).is_some_and(|end| end <= now) {
        Err(No(Refusal::PasswordExpired))
    } else {
        Ok(())
    }
}

/// Whether the account's state lets its owner in, whatever proved that it is the owner.
pub(crate) fn state_allows(account: &AccountEntry, claim: &Claim, now: SystemTime) -> Result<(), Refusal> {
    let refusal = if account.disabled {
        Refusal::Disabled
    } else if account.expires.is_some_and(|end| end <= now) {
        Refusal::AccountExpired
    } else if !account.hours.allow(now) {
        Refusal::LogonHours
    } else if !from_allowed_workstation(account, claim.workstation()) {
        Refusal::Workstation
    } else {
        return Ok(());
    };
    Err(refusal)
}

/// A client that names no computer is from none of the allowed ones.
fn from_allowed_workstation(account: &AccountEntry, workstation: &str) -> bool {
    let workstation = workstation.trim_start_matches('\\');
    let short = workstation.split('.').next().unwrap_or_default();
    let same = |allowed: &String| utf16::same_name(allowed, workstation) || utf16::same_name(allowed, short);
    account.workstations.is_empty() || account.workstations.iter().any(same)
}

/// How coarse the time of the last logon is: a logon that changes nothing else writes nothing within it.
const COARSE: Duration = Duration::from_secs(3600);

/// A no. A store or key that cannot be used is one too, and the log says why.
pub(crate) struct No(pub(crate) Refusal);

impl From<StoreError> for No {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the account store cannot be used; nobody can log on");
        Self(Refusal::Unreachable)
    }
}

impl From<KeyError> for No {
    fn from(error: KeyError) -> Self {
        StoreError::from(error).into()
    }
}

/// What a client's name means.
struct Meant<'a> {
    account: Option<AccountEntry>,
    name: &'a str,
    has_secret: bool,
}

/// The secret of nobody, sealed like all others, to be compared where there is no account.
struct Decoy {
    sid: Sid,
    sealed: Sealed,
    ring: KeyRing,
}

impl Decoy {
    fn new() -> Result<Self, SealError> {
        let sid = portcullis::well_known::ANONYMOUS;
        let mut password = [0; 16];
        getrandom::fill(&mut password).map_err(|_| SealError::NoRandomness)?;
        let password = Secret::new(password.map(|byte| format!("{byte:02x}")).concat());
        let domain = crate::DomainNames { netbios: String::new(), dns: String::new() };
        let record = SecretRecord::of_password(password.expose(), &Owner { name: "", upn: None, domain: &domain })?;
        let key = MasterKey::generate()?;
        let sealed = key.seal(&sid, &record)?;
        let ring = KeyRing::new(vec![key]).ok_or(SealError::NoRandomness)?;
        Ok(Self { sid, sealed, ring })
    }

    fn open(&self) -> Result<SecretRecord, SealError> {
        self.sealed.open(&self.sid, &self.ring)
    }
}

/// How many slow hashes may run at once: each takes a core and 19 MiB, and anybody can ask for one.
struct Permits {
    free: Mutex<Vec<SlowMemory>>,
    returned: Condvar,
}

impl Permits {
    fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { free: Mutex::new((0..cores).map(|_| SlowMemory::default()).collect()), returned: Condvar::new() }
    }

    /// The one that was given back last: where few are used at a time, few have memory.
    fn take(&self) -> Permit<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.returned.wait_while(free, |free| free.is_empty()).unwrap_or_else(PoisonError::into_inner);
        Permit { permits: self, memory: free.pop().unwrap_or_default() }
    }
}

struct Permit<'a> {
    permits: &'a Permits,
    memory: SlowMemory,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        self.permits.free.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        self.permits.returned.notify_one();
    }
}
