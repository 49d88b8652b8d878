//! The embedded store: one SQLite file, shared by any number of threads and processes.

mod accounts;
mod backup;
mod counters;
mod groups;
mod mappings;
mod migrations;
mod pool;
mod rows;
mod seen;

use crate::{
    AccountEdit, AccountEntry, AccountKey, Attempt, CertificateMapping, Domain, DomainNames, Found, Gate, GroupEntry,
    KeyId, LockEntry, LockoutPolicy, Lookup, Member, NewEntry, Policy, Rotation, Sealed, SeenStore, Store, StoreError,
};
use pool::{Durability, Pool};
use portcullis::Group;
use rusqlite::Connection;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// A store in an SQLite file.
///
/// Reads run beside each other and beside a write. Administration is safe on the disk when it returns; counters of
/// failures survive the process, but the last of them may be lost with the power.
#[derive(Debug)]
pub struct Sqlite {
    pool: Pool,
    /// How many failures this process has counted.
    failures: AtomicU64,
    /// How many Kerberos authenticators it was asked about.
    seen: AtomicU64,
}

impl Sqlite {
    /// Opens the file, and brings its tables up to date.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not there: an empty store is made by [`create`](Self::create) alone, so that a
    /// mistyped name never denies everybody silently. [`StoreError::ReadOnly`], [`StoreError::TooNew`],
    /// [`StoreError::Damaged`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let pool = Pool::new(path);
        pool.migrate()?;
        Ok(Self { pool, failures: AtomicU64::new(0), seen: AtomicU64::new(0) })
    }

    /// Opens the file, and makes it when it is not there, readable for its owner alone.
    ///
    /// # Errors
    /// As [`open`](Self::open), or when the file cannot be made.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        pool::make_file(path)?;
        Self::open(path)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.pool.path()
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.pool.read(work)
    }

    fn change<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.pool.write(Durability::Disk, work)
    }

    fn note<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.pool.write(Durability::Process, work)
    }
}

impl Store for Sqlite {
    fn domain(&self) -> Result<Domain, StoreError> {
        self.read(rows::domain)
    }

    fn create_domain(&self, domain: &Domain, key: KeyId) -> Result<(), StoreError> {
        self.change(|connection| accounts::create_domain(connection, domain, key))
    }

    fn rename_domain(&self, names: &DomainNames) -> Result<(), StoreError> {
        self.change(|connection| accounts::rename_domain(connection, names))
    }

    fn policy(&self) -> Result<Policy, StoreError> {
        self.read(rows::policy)
    }

    fn set_policy(&self, policy: &Policy) -> Result<(), StoreError> {
        self.change(|connection| rows::set_policy(connection, policy))
    }

    fn find(&self, name: Lookup<'_>) -> Result<Option<Found>, StoreError> {
        self.read(|connection| accounts::find(connection, name))
    }

    fn mapped(&self, mapping: &CertificateMapping) -> Result<Option<u32>, StoreError> {
        self.read(|connection| mappings::owner(connection, mapping))
    }

    fn serves_suffix(&self, suffix: &str) -> Result<bool, StoreError> {
        self.read(|connection| accounts::serves_suffix(connection, suffix))
    }

    fn groups_of(&self, rid: u32) -> Result<Vec<Group>, StoreError> {
        self.read(|connection| groups::groups_of(connection, rid))
    }

    fn gate(&self, attempt: &Attempt, now: SystemTime) -> Result<Gate, StoreError> {
        self.read(|connection| counters::gate(connection, attempt, now))
    }

    fn count_failure(&self, attempt: &Attempt, now: SystemTime, policy: &LockoutPolicy) -> Result<Gate, StoreError> {
        // Looking how many there are takes long when they are many.
        let look = self.failures.fetch_add(1, Ordering::Relaxed).is_multiple_of(counters::LOOK_EVERY);
        self.note(|connection| {
            if look {
                counters::bound(connection, counters::MOST)?;
            }
            counters::count_failure(connection, attempt, now, policy)
        })
    }

    fn forget_failures(&self, attempt: &Attempt) -> Result<(), StoreError> {
        self.note(|connection| counters::forget_failures(connection, attempt))
    }

    fn note_logon(&self, rid: u32, now: SystemTime) -> Result<(), StoreError> {
        self.note(|connection| accounts::note_logon(connection, rid, now))
    }

    fn check_writable(&self) -> Result<(), StoreError> {
        self.note(counters::check_writable)
    }

    fn reserve_rids(&self, count: u32) -> Result<u32, StoreError> {
        self.change(|connection| accounts::reserve_rids(connection, count))
    }

    fn add_accounts(&self, accounts: &[NewEntry]) -> Result<(), StoreError> {
        self.change(|connection| accounts.iter().try_for_each(|new| accounts::add(connection, new)))
    }

    fn edit_account(&self, rid: u32, edit: AccountEdit) -> Result<AccountEntry, StoreError> {
        self.change(|connection| accounts::edit(connection, rid, edit))
    }

    fn set_secret(&self, rid: u32, sealed: &Sealed, now: SystemTime, must_change: bool) -> Result<(), StoreError> {
        self.change(|connection| accounts::set_secret(connection, rid, sealed, now, must_change))
    }

    fn remove_account(&self, rid: u32) -> Result<(), StoreError> {
        self.change(|connection| accounts::remove(connection, rid))
    }

    fn accounts(&self) -> Result<Vec<AccountEntry>, StoreError> {
        self.read(accounts::all)
    }

    fn locks(&self, account: AccountKey, now: SystemTime) -> Result<Vec<LockEntry>, StoreError> {
        self.read(|connection| counters::locks(connection, account, now))
    }

    fn unlock(&self, account: AccountKey) -> Result<usize, StoreError> {
        self.change(|connection| counters::unlock(connection, account))
    }

    fn add_mapping(&self, rid: u32, mapping: &CertificateMapping) -> Result<bool, StoreError> {
        self.change(|connection| mappings::add(connection, rid, mapping))
    }

    fn remove_mapping(&self, rid: u32, mapping: &CertificateMapping) -> Result<bool, StoreError> {
        self.change(|connection| mappings::remove(connection, rid, mapping))
    }

    fn mappings(&self, rid: u32) -> Result<Vec<CertificateMapping>, StoreError> {
        self.read(|connection| mappings::of(connection, rid))
    }

    fn add_group(&self, group: &GroupEntry) -> Result<(), StoreError> {
        self.change(|connection| groups::add(connection, group))
    }

    fn remove_group(&self, rid: u32) -> Result<(), StoreError> {
        self.change(|connection| groups::remove(connection, rid))
    }

    fn group(&self, name: &str) -> Result<Option<GroupEntry>, StoreError> {
        self.read(|connection| groups::by_name(connection, name))
    }

    fn groups(&self) -> Result<Vec<GroupEntry>, StoreError> {
        self.read(groups::all)
    }

    fn members(&self, group: u32) -> Result<Vec<Member>, StoreError> {
        self.read(|connection| groups::members(connection, group))
    }

    fn add_member(&self, group: u32, member: u32) -> Result<bool, StoreError> {
        self.change(|connection| groups::add_member(connection, group, member))
    }

    fn remove_member(&self, group: u32, member: u32) -> Result<bool, StoreError> {
        self.change(|connection| groups::remove_member(connection, group, member))
    }

    fn key_id(&self) -> Result<KeyId, StoreError> {
        self.read(rows::key_id)
    }

    fn reseal(&self, rotation: &mut dyn Rotation) -> Result<u64, StoreError> {
        self.change(|connection| accounts::reseal(connection, rotation))
    }
}

impl SeenStore for Sqlite {
    /// The last of them may be lost with the power, as with failures: whoever cut it would have to have recorded them.
    fn remember(&self, tag: &[u8; 16], now: SystemTime, until: SystemTime) -> Result<bool, StoreError> {
        let purge = self.seen.fetch_add(1, Ordering::Relaxed).is_multiple_of(seen::PURGE_EVERY);
        self.note(|connection| {
            if purge {
                seen::purge(connection, now)?;
            }
            seen::remember(connection, tag, now, until)
        })
    }
}
