use crate::{
    AccountEdit, AccountEntry, Directory, DomainNames, Found, GroupEntry, KeyError, KeyId, LogonHours, Lookup,
    NewEntry, Owner, PasswordRefused, Policy, SealError, Sealed, SecretRecord, Store, StoreError,
};
use portcullis::{Secret, Sid};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

/// An account to be made.
#[derive(Debug)]
pub struct NewAccount {
    /// Its name.
    pub name: String,
    /// What its owner proves to be the owner by.
    pub secret: NewSecret,
    /// Everything else that is not as in a plain account.
    pub edit: AccountEdit,
    /// The names of the groups that it is to be in.
    pub groups: Vec<String>,
}

/// What an account's owner proves to be the owner by.
#[derive(Debug)]
pub enum NewSecret {
    /// A password, checked against the policy.
    Password(Secret<String>),
    /// The NT hash of a password that nobody here knows: from another directory.
    NtHash(Secret<[u8; 16]>),
    /// Nothing yet: nobody can log on.
    None,
}

/// Why an administrator's wish was not carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// The store says no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A secret could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The password breaks a rule.
    #[error(transparent)]
    Password(#[from] PasswordRefused),
    /// The name cannot be an account's or a group's.
    #[error(
        "`{0}` cannot be a name: it needs one to 64 characters, not only dots and spaces, none at its ends, and none of \
         \\ / : * ? \" < > | , ; = + [ ] @ or control characters"
    )]
    BadName(String),
    /// The user principal name is none.
    #[error("`{0}` is no user principal name of the form name@dns.domain")]
    BadUpn(String),
    /// A workstation's name is none.
    #[error("`{0}` is no computer name")]
    BadWorkstation(String),
    /// There is no account of this name.
    #[error("there is no account `{0}`; see `portcullis account list`")]
    NoSuchAccount(String),
    /// A weak form of mapping, where the policy does not allow them.
    #[error(
        "{0} is a weak mapping: others may come to have the same subject or mail; map the certificate by its serial \
         number, key identifier or public key, or allow weak forms with \
         `portcullis policy set --danger-weak-certificate-mappings true`"
    )]
    WeakMapping(String),
    /// A user principal name, which is an attribute of the account.
    #[error(
        "a user principal name is not mapped: it is the account's own, set by `portcullis account set NAME --upn`, and \
         counts for certificates only where the policy allows weak forms"
    )]
    UpnIsNoMapping,
    /// There is no group of this name.
    #[error("there is no group `{0}`; see `portcullis group list`")]
    NoSuchGroup(String),
}

/// Which of several accounts could not be made. None was.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct BatchError {
    /// Its place among those that were given; `None` when it was none of them in particular.
    pub at: Option<usize>,
    /// Why.
    pub error: AdminError,
}

/// Administration: what the command line does.
impl<S: Store> Directory<S> {
    /// Makes one account.
    ///
    /// # Errors
    /// When its name, password or groups are not as they must be; nothing has changed then.
    pub fn add_account(&self, account: NewAccount) -> Result<AccountEntry, AdminError> {
        let added = self.add_accounts(&[account], &|_| {}).map_err(|batch| batch.error)?;
        added.into_iter().next().ok_or(AdminError::Store(StoreError::NoSuchAccount))
    }

    /// Makes several accounts, all or none. `progress` is told how many passwords are hashed, which is what takes long.
    ///
    /// # Errors
    /// The first account that cannot be made, and why; nothing has changed then.
    pub fn add_accounts(
        &self,
        accounts: &[NewAccount],
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<Vec<AccountEntry>, BatchError> {
        let none = |error| BatchError { at: None, error };
        let (domain, policy) = self
            .store()
            .domain()
            .and_then(|domain| Ok((domain, self.store().policy()?)))
            .map_err(|e| none(e.into()))?;
        let mut groups = Vec::with_capacity(accounts.len());
        for (at, account) in accounts.iter().enumerate() {
            let rids = check_new(account, &policy).and_then(|()| {
                account
                    .groups
                    .iter()
                    .map(|name| self.group(name).map(|group| group.rid))
                    .collect::<Result<Vec<u32>, _>>()
            });
            groups.push(rids.map_err(|error| BatchError { at: Some(at), error })?);
        }
        let records = hash_all(accounts, &domain.names, progress).map_err(|e| none(e.into()))?;
        let count = u32::try_from(accounts.len()).map_err(|_| none(StoreError::NoMoreRids.into()))?;
        let first = self.store().reserve_rids(count).map_err(|e| none(e.into()))?;
        let now = self.now();
        let mut entries = Vec::with_capacity(accounts.len());
        for ((account, rid), has_secret) in accounts.iter().zip(first..).zip(records.iter().map(Option::is_some)) {
            let sid = domain.sid.child(rid).ok_or_else(|| none(StoreError::NoMoreRids.into()))?;
            entries.push(fresh_account(account, rid, sid, has_secret, now));
        }

        // Again when the master key was changed between the sealing and the putting in.
        let mut tries = 3;
        loop {
            let sealed = records
                .iter()
                .zip(&entries)
                .map(|(record, entry)| record.as_ref().map(|record| self.seal(&entry.sid, record)).transpose());
            let sealed = sealed.collect::<Result<Vec<_>, _>>().map_err(none)?;
            let new = entries.iter().zip(sealed).zip(&groups).map(|((account, sealed), groups)| NewEntry {
                account: account.clone(),
                sealed,
                groups: groups.clone(),
            });
            match self.store().add_accounts(&new.collect::<Vec<_>>()) {
                Ok(()) => return Ok(entries),
                Err(StoreError::StaleKey) if tries > 0 => tries -= 1,
                Err(error) => return Err(BatchError { at: culprit(accounts, &error), error: error.into() }),
            }
        }
    }

    /// Whether an account could be made as things stand.
    ///
    /// # Errors
    /// As [`add_account`](Self::add_account).
    pub fn check_account(&self, account: &NewAccount) -> Result<(), AdminError> {
        check_new(account, &self.store().policy()?)?;
        account.groups.iter().try_for_each(|name| self.group(name).map(drop))?;
        if self.store().find(Lookup::Name(&account.name))?.is_some() || self.store().group(&account.name)?.is_some() {
            return Err(StoreError::NameTaken(account.name.clone()).into());
        }
        match account.edit.upn.iter().flatten().next() {
            Some(upn) if self.store().find(Lookup::Upn(upn))?.is_some() => {
                Err(StoreError::UpnTaken(upn.clone()).into())
            }
            _ => Ok(()),
        }
    }

    /// The account of this name, or of this user principal name.
    ///
    /// # Errors
    /// [`AdminError::NoSuchAccount`].
    pub fn account(&self, name: &str) -> Result<AccountEntry, AdminError> {
        let by_name = self.store().find(Lookup::Name(name))?;
        let found = match by_name {
            None if name.contains('@') => self.store().find(Lookup::Upn(name))?,
            found => found,
        };
        found.map(|Found { account, .. }| account).ok_or_else(|| AdminError::NoSuchAccount(name.to_owned()))
    }

    /// Changes an account, and gives it as it is then.
    ///
    /// # Errors
    /// [`AdminError::NoSuchAccount`], or when what is asked for cannot be.
    pub fn edit_account(&self, name: &str, edit: AccountEdit) -> Result<AccountEntry, AdminError> {
        check_edit(&edit)?;
        Ok(self.store().edit_account(self.account(name)?.rid, edit)?)
    }

    /// Gives an account a new password, and unlocks it.
    ///
    /// # Errors
    /// [`AdminError::NoSuchAccount`], or the rule that the password breaks.
    pub fn set_password(&self, name: &str, password: &Secret<String>, must_change: bool) -> Result<(), AdminError> {
        let account = self.account(name)?;
        self.store().policy()?.password.check(&account.name, password.expose())?;
        let domain = self.store().domain()?.names;
        let owner = Owner { name: &account.name, upn: account.upn.as_deref(), domain: &domain };
        let record = SecretRecord::of_password(password.expose(), &owner)?;
        let mut tries = 3;
        loop {
            let sealed = self.seal(&account.sid, &record)?;
            match self.store().set_secret(account.rid, &sealed, self.now(), must_change) {
                Err(StoreError::StaleKey) if tries > 0 => tries -= 1,
                done => break done?,
            }
        }
        self.store().unlock(crate::AccountKey::of(&account.name))?;
        Ok(())
    }

    /// The group of this name.
    ///
    /// # Errors
    /// [`AdminError::NoSuchGroup`].
    pub fn group(&self, name: &str) -> Result<GroupEntry, AdminError> {
        self.store().group(name)?.ok_or_else(|| AdminError::NoSuchGroup(name.to_owned()))
    }

    /// Makes a group.
    ///
    /// # Errors
    /// When the name cannot be one, or is taken.
    pub fn add_group(&self, name: &str, description: &str) -> Result<GroupEntry, AdminError> {
        check_name(name)?;
        let domain = self.store().domain()?;
        let rid = self.store().reserve_rids(1)?;
        let sid = domain.sid.child(rid).ok_or(StoreError::NoMoreRids)?;
        let group = GroupEntry { rid, sid, name: name.to_owned(), description: description.to_owned() };
        self.store().add_group(&group)?;
        Ok(group)
    }

    /// The RID of an account or group of this name: what can be a group's member.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMember`].
    pub fn member_rid(&self, name: &str) -> Result<u32, AdminError> {
        match self.account(name) {
            Ok(account) => Ok(account.rid),
            Err(AdminError::NoSuchAccount(_)) => Ok(self.store().group(name)?.ok_or(StoreError::NoSuchMember)?.rid),
            Err(error) => Err(error),
        }
    }

    fn seal(&self, sid: &Sid, record: &SecretRecord) -> Result<Sealed, AdminError> {
        let key: KeyId = self.store().key_id()?;
        let ring = self.keys().current()?;
        Ok(ring.get(key).ok_or(SealError::UnknownKey(key))?.seal(sid, record)?)
    }
}

fn fresh_account(account: &NewAccount, rid: u32, sid: Sid, has_secret: bool, now: SystemTime) -> AccountEntry {
    let mut entry = AccountEntry {
        rid,
        sid,
        name: account.name.clone(),
        upn: None,
        display_name: None,
        mail: None,
        disabled: false,
        must_change: false,
        password_never_expires: false,
        expires: None,
        hours: LogonHours::ALL,
        workstations: Vec::new(),
        password_set: has_secret.then_some(now),
        last_logon: None,
        created: now,
    };
    account.edit.clone().apply(&mut entry);
    entry
}

/// Makes all records, on all cores.
fn hash_all(
    accounts: &[NewAccount],
    domain: &DomainNames,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Vec<Option<SecretRecord>>, SealError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let done = AtomicUsize::new(0);
    let work = |account: &NewAccount| {
        let record = match &account.secret {
            NewSecret::Password(password) => {
                let upn = account.edit.upn.as_ref().and_then(Option::as_deref);
                let owner = Owner { name: &account.name, upn, domain };
                Some(SecretRecord::of_password(password.expose(), &owner)?)
            }
            NewSecret::NtHash(hash) => Some(SecretRecord::of_nt_hash(Secret::new(*hash.expose()))),
            NewSecret::None => None,
        };
        progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        Ok(record)
    };
    std::thread::scope(|scope| {
        let share = accounts.len().div_ceil(cores).max(1);
        let threads: Vec<_> =
            accounts.chunks(share).map(|part| scope.spawn(|| part.iter().map(work).collect::<Vec<_>>())).collect();
        // A thread that panicked hashed nothing: it counts as one that could not.
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_else(|_| vec![Err(SealError::Damaged)])).collect()
    })
}

/// The account that the store means by its error.
fn culprit(accounts: &[NewAccount], error: &StoreError) -> Option<usize> {
    match error {
        // The last one: an earlier one of the same name took it.
        StoreError::NameTaken(name) => accounts.iter().rposition(|account| account.name == *name),
        StoreError::UpnTaken(upn) => accounts
            .iter()
            .rposition(|account| account.edit.upn.as_ref().is_some_and(|ours| ours.as_ref() == Some(upn))),
        _ => None,
    }
}

fn check_new(account: &NewAccount, policy: &Policy) -> Result<(), AdminError> {
    check_name(&account.name)?;
    check_edit(&account.edit)?;
    match &account.secret {
        NewSecret::Password(password) => Ok(policy.password.check(&account.name, password.expose())?),
        NewSecret::NtHash(_) | NewSecret::None => Ok(()),
    }
}

fn check_name(name: &str) -> Result<(), AdminError> {
    let bad = |c: char| c.is_control() || "\\/:*?\"<>|,;=+[]@".contains(c);
    let ends = |c: char| c == '.' || c.is_whitespace();
    let fits = (1..=64).contains(&name.encode_utf16().count());
    if !fits || name.contains(bad) || name.ends_with(ends) || name.starts_with(char::is_whitespace) {
        return Err(AdminError::BadName(name.to_owned()));
    }
    Ok(())
}

fn check_edit(edit: &AccountEdit) -> Result<(), AdminError> {
    if let Some(Some(upn)) = &edit.upn {
        let good = |(name, suffix): (&str, &str)| {
            !name.is_empty()
                && !suffix.is_empty()
                && !upn.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\')
        };
        if upn.len() > 1024 || !upn.rsplit_once('@').is_some_and(good) {
            return Err(AdminError::BadUpn(upn.clone()));
        }
    }
    let bad =
        |name: &&String| name.is_empty() || name.contains(|c: char| c.is_control() || c.is_whitespace() || c == ',');
    match edit.workstations.iter().flatten().find(bad) {
        Some(name) => Err(AdminError::BadWorkstation(name.clone())),
        None => Ok(()),
    }
}
