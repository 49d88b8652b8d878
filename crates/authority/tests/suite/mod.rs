//! What every store must do, behind a directory, as clients see it. A store passes when each of these runs over it
//! unchanged: see `stores!` below.

pub mod administration;
pub mod certificates;
pub mod client;
pub mod groups;
pub mod lockout;
pub mod logons;

use portcullis::{Account, Answer, Cause, Refusal, Secret};
use portcullis_authority::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub const PASSWORD: &str = "right horse battery";

/// A directory over an empty store, with a clock that stands still until it is moved.
pub struct Site<S> {
    pub directory: Directory<S>,
    pub clock: Arc<AtomicU64>,
    _keys: tempfile::TempDir,
}

/// Sunday 2026-11-22, noon in UTC.
pub const NOON: u64 = 1_795_348_800;

pub fn site<S: Store>(store: S) -> Site<S> {
    let folder = tempfile::tempdir().unwrap();
    let source = KeySource::File(folder.path().join("master.key"));
    let key = source.create().unwrap().ids().next().unwrap();
    let names = DomainNames::new("CORP", "corp.example").unwrap();
    let domain = Domain { names, sid: "S-1-5-21-1-2-3".parse().unwrap() };
    store.create_domain(&domain, key).unwrap();
    assert!(matches!(store.create_domain(&domain, key), Err(StoreError::Exists)));
    let clock = Arc::new(AtomicU64::new(NOON));
    let hand = Arc::clone(&clock);
    let directory = Directory::new(store, Keys::open(source).unwrap(), local_names())
        .unwrap()
        .with_clock(move || UNIX_EPOCH + Duration::from_secs(hand.load(Ordering::SeqCst)));
    Site { directory, clock, _keys: folder }
}

pub fn local_names() -> LocalNames {
    LocalNames { computers: vec!["WEB1".into()], aliases: vec!["OLDCORP".into()], foreign: Foreign::Refuse }
}

impl<S: Store> Site<S> {
    pub fn add(&self, name: &str) -> AccountEntry {
        self.add_with(name, NewSecret::Password(Secret::new(PASSWORD.into())), AccountEdit::default())
    }

    pub fn add_with(&self, name: &str, secret: NewSecret, edit: AccountEdit) -> AccountEntry {
        self.directory.add_account(NewAccount { name: name.into(), secret, edit, groups: vec![] }).unwrap()
    }

    pub fn edit(&self, name: &str, edit: AccountEdit) {
        self.directory.edit_account(name, edit).unwrap();
    }

    pub fn lockout(&self, change: impl FnOnce(&mut LockoutPolicy)) {
        let mut policy = self.directory.store().policy().unwrap();
        change(&mut policy.lockout);
        self.directory.store().set_policy(&policy).unwrap();
    }

    pub fn wait(&self, time: Duration) {
        self.clock.fetch_add(time.as_secs(), Ordering::SeqCst);
    }

    pub fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.clock.load(Ordering::SeqCst))
    }
}

/// The account that an answer vouches for, or why it does not.
pub fn account(answer: &Answer) -> Result<Arc<Account>, Refusal> {
    match answer.verdict() {
        Ok(vouched) => Ok(Arc::clone(vouched.account().unwrap())),
        Err(denied) => match denied.cause {
            Cause::Refused(why) => Err(why),
            other => panic!("{other}"),
        },
    }
}

pub fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

/// Runs the suite over the stores that an expression makes; it may name a folder that lives as long as the test.
#[macro_export]
macro_rules! stores {
    (|$folder:ident| $store:expr; $($theme:ident: $($case:ident)*;)*) => { $($(
        #[test]
        fn $case() {
            let folder = tempfile::tempdir().unwrap();
            let $folder = folder.path();
            suite::$theme::$case(suite::site($store));
        }
    )*)* };
    (|$folder:ident| $store:expr) => {
        stores! { |$folder| $store;
            logons: names_in_all_spellings names_of_others right_and_wrong empty_stores_deny
                states_show_after_the_proof_only passwords_grow_old accounts_without_password imported_hashes;
            groups: nested_groups groups_are_administered;
            lockout: lockout_by_address lockout_for_all lockout_until_unlocked throttled_addresses parallel_failures
                parallel_logons a_right_logon_resets names_nobody_has_are_counted;
            administration: accounts_are_administered all_or_none keys_change interrupted_changes_of_keys
                logons_are_noted_coarsely;
            certificates: certificates_name_accounts_by_sid certificates_are_mapped_strongly
                certificates_of_two_accounts_are_nobodys weak_mappings_are_off
                names_in_certificates_are_not_taken_apart mapped_accounts_are_judged;
        }
    };
}
