use crate::{
    AccountEdit, AccountEntry, AccountKey, Attempt, CertificateMapping, Domain, DomainNames, Gate, GroupEntry, KeyId,
    LockEntry, LockoutPolicy, Member, NewEntry, Policy, Sealed,
};
use portcullis::{Group, Sid};
use std::time::SystemTime;

/// Where accounts are kept. It knows nothing of proofs: it finds, counts and changes, each operation whole or not at all,
/// whoever else uses the store at the same time.
///
/// Names are compared as Windows does ([`portcullis_wire::utf16::upper_string`]).
pub trait Store: Send + Sync {
    /// The domain.
    ///
    /// # Errors
    /// [`StoreError::Empty`] when none was made yet.
    fn domain(&self) -> Result<Domain, StoreError>;

    /// Makes the domain, with its group Domain Users; secrets are sealed under `key`.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is one already: nothing is overwritten.
    fn create_domain(&self, domain: &Domain, key: KeyId) -> Result<(), StoreError>;

    /// Gives the domain other names; its SID stays.
    ///
    /// # Errors
    /// As [`domain`](Self::domain).
    fn rename_domain(&self, names: &DomainNames) -> Result<(), StoreError>;

    /// The rules.
    ///
    /// # Errors
    /// As [`domain`](Self::domain).
    fn policy(&self) -> Result<Policy, StoreError>;

    /// Changes the rules.
    ///
    /// # Errors
    /// As [`domain`](Self::domain).
    fn set_policy(&self, policy: &Policy) -> Result<(), StoreError>;

    // A logon

    /// The account that a name means, with its secret; `None` when there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn find(&self, name: Lookup<'_>) -> Result<Option<Found>, StoreError>;

    /// The RID of the account that a certificate's identity is mapped to, compared by form and key; `None` when it is
    /// nobody's.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn mapped(&self, mapping: &CertificateMapping) -> Result<Option<u32>, StoreError>;

    /// Whether some account's user principal name ends with `@suffix`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn serves_suffix(&self, suffix: &str) -> Result<bool, StoreError>;

    /// All groups that the account is in, nested ones resolved, Domain Users first; each once, whatever the cycles, and
    /// at most [`MAX_GROUPS`].
    ///
    /// # Errors
    /// When the store cannot be read.
    fn groups_of(&self, rid: u32) -> Result<Vec<Group>, StoreError>;

    /// What stands in the attempt's way. Writes nothing.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn gate(&self, attempt: &Attempt, now: SystemTime) -> Result<Gate, StoreError>;

    /// Counts a wrong proof, unless something stands in its way already, in one step: of any number of attempts at once,
    /// exactly as many are counted as the thresholds allow. Gives what stood in the way *before* it.
    ///
    /// # Errors
    /// When the store cannot be written: the proof must then be treated as unheard.
    fn count_failure(&self, attempt: &Attempt, now: SystemTime, policy: &LockoutPolicy) -> Result<Gate, StoreError>;

    /// Forgets the account's failures from this address.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn forget_failures(&self, attempt: &Attempt) -> Result<(), StoreError>;

    /// Notes a logon.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn note_logon(&self, rid: u32, now: SystemTime) -> Result<(), StoreError>;

    /// Writes something and takes it back: whether failures can be counted.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn check_writable(&self) -> Result<(), StoreError>;

    // Administration

    /// Reserves `count` relative ids, and gives the first. They only ever grow, so that no SID is given twice.
    ///
    /// # Errors
    /// [`StoreError::NoMoreRids`], or when the store cannot be written.
    fn reserve_rids(&self, count: u32) -> Result<u32, StoreError>;

    /// Puts accounts in, all or none.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`], [`StoreError::UpnTaken`], [`StoreError::NoSuchGroup`], [`StoreError::StaleKey`].
    fn add_accounts(&self, accounts: &[NewEntry]) -> Result<(), StoreError>;

    /// Changes an account, and gives it as it is then.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAccount`], [`StoreError::UpnTaken`].
    fn edit_account(&self, rid: u32, edit: AccountEdit) -> Result<AccountEntry, StoreError>;

    /// Gives an account another secret.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAccount`], [`StoreError::StaleKey`].
    fn set_secret(&self, rid: u32, sealed: &Sealed, now: SystemTime, must_change: bool) -> Result<(), StoreError>;

    /// Removes an account, its memberships, and its mappings of certificates.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAccount`].
    fn remove_account(&self, rid: u32) -> Result<(), StoreError>;

    /// All accounts, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn accounts(&self) -> Result<Vec<AccountEntry>, StoreError>;

    /// The account's counters that still count something.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn locks(&self, account: AccountKey, now: SystemTime) -> Result<Vec<LockEntry>, StoreError>;

    /// Forgets all of the account's failures; gives how many counters there were.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn unlock(&self, account: AccountKey) -> Result<usize, StoreError>;

    /// Maps a certificate to an account; false when it was mapped to it already.
    ///
    /// # Errors
    /// [`StoreError::NoSuchAccount`]; [`StoreError::MappingTaken`] when it is another account's.
    fn add_mapping(&self, rid: u32, mapping: &CertificateMapping) -> Result<bool, StoreError>;

    /// Takes a mapping from an account; false when it was not there.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn remove_mapping(&self, rid: u32, mapping: &CertificateMapping) -> Result<bool, StoreError>;

    /// The certificates that are mapped to an account, by form and text.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn mappings(&self, rid: u32) -> Result<Vec<CertificateMapping>, StoreError>;

    /// Puts a group in.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`].
    fn add_group(&self, group: &GroupEntry) -> Result<(), StoreError>;

    /// Removes a group and its memberships.
    ///
    /// # Errors
    /// [`StoreError::NoSuchGroup`], [`StoreError::BuiltIn`].
    fn remove_group(&self, rid: u32) -> Result<(), StoreError>;

    /// The group of this name; `None` when there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn group(&self, name: &str) -> Result<Option<GroupEntry>, StoreError>;

    /// All groups, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn groups(&self) -> Result<Vec<GroupEntry>, StoreError>;

    /// The group's own members, by name; Domain Users lists nobody, since everybody is in it.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn members(&self, group: u32) -> Result<Vec<Member>, StoreError>;

    /// Puts an account or a group into a group; false when it was there already.
    ///
    /// # Errors
    /// [`StoreError::NoSuchGroup`], [`StoreError::NoSuchMember`], [`StoreError::BuiltIn`].
    fn add_member(&self, group: u32, member: u32) -> Result<bool, StoreError>;

    /// Takes an account or a group out of a group; false when it was not there.
    ///
    /// # Errors
    /// [`StoreError::NoSuchGroup`], [`StoreError::BuiltIn`].
    fn remove_member(&self, group: u32, member: u32) -> Result<bool, StoreError>;

    // Keys

    /// The key that new secrets are sealed under.
    ///
    /// # Errors
    /// As [`domain`](Self::domain).
    fn key_id(&self) -> Result<KeyId, StoreError>;

    /// Seals every secret anew under the key that `rotation` chooses, and makes it the one for new secrets: all or nothing,
    /// one rotation at a time, whatever process it runs in. Gives how many were sealed: none when the key stays.
    ///
    /// # Errors
    /// What `rotation` says, or when the store cannot be written; nothing has changed then.
    fn reseal(&self, rotation: &mut dyn Rotation) -> Result<u64, StoreError>;
}

/// What changes the key of a store. It is called while nobody else can change anything.
pub trait Rotation {
    /// Chooses the key that comes after `current`; it must be safe on the disk when this returns.
    ///
    /// # Errors
    /// When there is none; nothing changes then.
    fn choose(&mut self, current: KeyId) -> Result<KeyId, StoreError>;

    /// Opens a sealed secret of the account and seals it under the chosen key.
    ///
    /// # Errors
    /// When it cannot be opened; nothing changes then.
    fn reseal(&mut self, sid: &Sid, sealed: &Sealed) -> Result<Sealed, StoreError>;
}

/// The most groups that an account is reported in: as many SIDs as a Windows token holds (1015, rounded up).
pub const MAX_GROUPS: usize = 1024;

/// How an account is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// By its name.
    Name(&'a str),
    /// By its user principal name.
    Upn(&'a str),
    /// By its relative id.
    Rid(u32),
}

/// An account that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The account.
    pub account: AccountEntry,
    /// Its secret; `None` when it has none.
    pub sealed: Option<Sealed>,
}

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No domain was made yet.
    #[error("the store is empty: it has no domain yet; `portcullis account add` or `portcullis serve` makes one")]
    Empty,
    /// There is a domain already.
    #[error("the store has a domain already")]
    Exists,
    /// The file is not there.
    #[error("the store {0} is not there; restore it from a backup with `portcullis restore`, or check --data")]
    Missing(String),
    /// The file may not be written.
    #[error(
        "the store {0} cannot be written, so that failed logons cannot be counted; make it and its folder writable"
    )]
    ReadOnly(String),
    /// The file was made by a newer version.
    #[error("the store has version {found}, this program knows {known}: it was written by a newer one; use that")]
    TooNew {
        /// The file's version.
        found: i64,
        /// The highest version that this program knows.
        known: i64,
    },
    /// What was read makes no sense.
    #[error("the store is damaged: {0}; restore it from a backup with `portcullis restore`")]
    Damaged(String),
    /// The database says no.
    #[error("the store cannot be used: {0}")]
    Database(String),
    /// Another account or group has the name.
    #[error("an account or group named `{0}` exists already")]
    NameTaken(String),
    /// Another account has the user principal name.
    #[error("another account has the user principal name `{0}` already")]
    UpnTaken(String),
    /// Another account has the certificate.
    #[error(
        "{identity} is mapped to the account `{account}` already; `portcullis account unmap-cert {account}` takes it away"
    )]
    MappingTaken {
        /// The certificate's identity.
        identity: String,
        /// Whose it is.
        account: String,
    },
    /// No such account.
    #[error("no such account; see `portcullis account list`")]
    NoSuchAccount,
    /// No such group.
    #[error("no such group; see `portcullis group list`")]
    NoSuchGroup,
    /// No such account or group.
    #[error("no account and no group has this name")]
    NoSuchMember,
    /// The group is built in.
    #[error("Domain Users is built in: every account is in it, and it cannot be removed")]
    BuiltIn,
    /// A secret was sealed under a key that is no longer the one for new secrets.
    #[error("the master key was changed at the same time; try again")]
    StaleKey,
    /// All relative ids are given.
    #[error("the domain has no relative ids left")]
    NoMoreRids,
    /// A secret could not be opened or sealed.
    #[error(transparent)]
    Seal(#[from] crate::SealError),
    /// A key could not be kept.
    #[error(transparent)]
    Key(#[from] crate::KeyError),
}
