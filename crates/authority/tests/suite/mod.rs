//! What every store must do, behind a directory, as clients see it. A store passes when each of these runs over it
//! unchanged: see `stores!` below.

pub mod certificates;
pub mod client;

#[allow(unused_imports, reason = "not every file runs them")]
pub use certificates::*;
use client::Client;
use portcullis::{Account, Answer, Cause, Refusal, Secret};
use portcullis_authority::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
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
    (|$folder:ident| $store:expr; $($case:ident)*) => { $(
        #[test]
        fn $case() {
            let folder = tempfile::tempdir().unwrap();
            let $folder = folder.path();
            suite::$case(suite::site($store));
        }
    )* };
    (|$folder:ident| $store:expr) => {
        stores! { |$folder| $store;
            names_in_all_spellings names_of_others right_and_wrong empty_stores_deny states_show_after_the_proof_only
            passwords_grow_old accounts_without_password imported_hashes nested_groups groups_are_administered
            lockout_by_address lockout_for_all lockout_until_unlocked throttled_addresses parallel_failures
            parallel_logons a_right_logon_resets names_nobody_has_are_counted accounts_are_administered
            all_or_none keys_change interrupted_changes_of_keys logons_are_noted_coarsely
            certificates_name_accounts_by_sid certificates_are_mapped_strongly
            certificates_of_two_accounts_are_nobodys weak_mappings_are_off
            names_in_certificates_are_not_taken_apart mapped_accounts_are_judged
        }
    };
}

pub fn names_in_all_spellings<S: Store>(site: Site<S>) {
    let upn = AccountEdit { upn: Some(Some("Ann.Smith@people.example".into())), ..AccountEdit::default() };
    site.add_with("Ann", NewSecret::Password(Secret::new(PASSWORD.into())), upn);
    site.add("Jörg.Straße");
    for (user, domain) in [
        ("Ann", "CORP"),
        ("ANN", "corp"),
        ("ann", ""),
        ("ann", "."),
        ("ann", "corp.example"),
        ("ann", "web1"),
        ("ann", "oldcorp"),
        ("corp\\ann", ""),
        (".\\ann", ""),
        ("ann@corp.example", ""),
        ("ANN@CORP", ""),
        ("ann.smith@PEOPLE.example", ""),
    ] {
        let account = Client::new(user, PASSWORD).domain(domain).ntlm(&site.directory).unwrap();
        assert_eq!(account.qualified_name(), "CORP\\Ann", "{domain} {user}");
        assert_eq!(
            (account.sid.unwrap().to_string().as_str(), account.dns_domain.as_str()),
            ("S-1-5-21-1-2-3-1000", "corp.example")
        );
        let plain = Client::new(user, PASSWORD).domain("").plain(&site.directory);
        assert!(!domain.is_empty() || plain.is_ok(), "{user}");
    }
    assert_eq!(Client::new("JÖRG.STRAßE", PASSWORD).ntlm(&site.directory).unwrap().name, "Jörg.Straße");
    // Windows does not know that ß is SS.
    let refused = Client::new("JÖRG.STRASSE", PASSWORD).ntlm(&site.directory);
    assert_eq!(refused.unwrap_err(), Refusal::UnknownAccount);
}

pub fn names_of_others<S: Store>(site: Site<S>) {
    let upn = AccountEdit { upn: Some(Some("ann@people.example".into())), ..AccountEdit::default() };
    site.add_with("ann", NewSecret::Password(Secret::new(PASSWORD.into())), upn);
    let refusal = |user: &str, domain: &str| {
        Client::new(user, PASSWORD).domain(domain).ntlm(&site.directory).map(|account| account.name.clone())
    };
    assert_eq!(refusal("ann", "OTHER"), Err(Refusal::UnknownDomain));
    assert_eq!(refusal("ann@other.example", ""), Err(Refusal::UnknownDomain));
    // A suffix that somebody has is served: who has it is not told.
    assert_eq!(refusal("bob@people.example", ""), Err(Refusal::UnknownAccount));
    site.directory.set_names(LocalNames { foreign: Foreign::Local, ..local_names() });
    assert_eq!(refusal("ann", "OTHER"), Ok("ann".into()));
    assert_eq!(refusal("ann@other.example", ""), Ok("ann".into()));
    assert_eq!(refusal("bob", "OTHER"), Err(Refusal::UnknownAccount));
}

pub fn right_and_wrong<S: Store>(site: Site<S>) {
    site.add("ann");
    site.add_with("bob", NewSecret::Password(Secret::new("another password".into())), AccountEdit::default());
    let upper = PASSWORD.to_uppercase();
    for log_on in [Client::ntlm, Client::plain] {
        let try_it = |user, password| log_on(&Client::new(user, password), &site.directory).map(|a| a.name.clone());
        assert_eq!(try_it("ann", PASSWORD), Ok("ann".into()));
        assert_eq!(try_it("bob", "another password"), Ok("bob".into()));
        assert_eq!(try_it("ann", "another password"), Err(Refusal::WrongProof));
        assert_eq!(try_it("bob", PASSWORD), Err(Refusal::WrongProof));
        assert_eq!(try_it("ann", &upper), Err(Refusal::WrongProof));
        assert_eq!(try_it("eve", PASSWORD), Err(Refusal::UnknownAccount));
    }
    let account = Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap();
    assert_eq!((account.groups.len(), account.groups[0].name.as_str()), (1, "Domain Users"));
    assert_eq!(account.groups[0].sid.to_string(), "S-1-5-21-1-2-3-513");
    assert_eq!((account.logoff_at, account.password_expires_at), (None, None));
}

pub fn empty_stores_deny<S: Store>(site: Site<S>) {
    for (user, password) in [("ann", PASSWORD), ("guest", ""), ("Administrator", ""), ("", "x")] {
        let refused = Client::new(user, password).ntlm(&site.directory);
        assert_eq!(refused.unwrap_err(), Refusal::UnknownAccount, "{user}");
    }
    assert_eq!(Client::new("ann", PASSWORD).plain(&site.directory).unwrap_err(), Refusal::UnknownAccount);
}

pub fn states_show_after_the_proof_only<S: Store>(site: Site<S>) {
    let fresh = AccountEdit {
        disabled: Some(false),
        must_change: Some(false),
        expires: Some(None),
        hours: Some(LogonHours::ALL),
        workstations: Some(vec![]),
        ..AccountEdit::default()
    };
    let edit = AccountEdit::default;
    let states = [
        (AccountEdit { disabled: Some(true), ..edit() }, Refusal::Disabled),
        (AccountEdit { expires: Some(Some(site.now())), ..edit() }, Refusal::AccountExpired),
        (AccountEdit { hours: Some("mon-sat".parse().unwrap()), ..edit() }, Refusal::LogonHours),
        (AccountEdit { hours: Some(LogonHours::NONE), ..edit() }, Refusal::LogonHours),
        (AccountEdit { workstations: Some(vec!["PC2".into(), "PC3".into()]), ..edit() }, Refusal::Workstation),
        (AccountEdit { must_change: Some(true), ..edit() }, Refusal::MustChange),
    ];
    site.add("ann");
    for (state, refusal) in &states {
        site.edit("ann", fresh.clone());
        assert!(Client::new("ann", PASSWORD).ntlm(&site.directory).is_ok());
        site.edit("ann", state.clone());
        for log_on in [Client::ntlm, Client::plain] {
            assert_eq!(log_on(&Client::new("ann", PASSWORD), &site.directory).unwrap_err(), *refusal);
            let wrong = log_on(&Client::new("ann", "wrong"), &site.directory);
            assert_eq!(wrong.unwrap_err(), Refusal::WrongProof, "{refusal:?}");
        }
        // Each state wins over those behind it.
        for (later, _) in states.iter().skip_while(|(_, other)| other != refusal).filter(|(_, other)| other != refusal)
        {
            site.edit("ann", later.clone());
            let both = Client::new("ann", PASSWORD).ntlm(&site.directory);
            assert_eq!(both.unwrap_err(), *refusal);
        }
        site.directory.store().unlock(AccountKey::of("ann")).unwrap();
    }
    // What allows, and until when.
    site.edit("ann", fresh.clone());
    let pc2 = AccountEdit {
        workstations: Some(vec!["pc2".into()]),
        hours: Some("sun 08:00-18:00".parse().unwrap()),
        ..edit()
    };
    site.edit("ann", pc2);
    for workstation in ["PC2", "pc2.corp.example"] {
        let account = Client::new("ann", PASSWORD).workstation(workstation).ntlm(&site.directory).unwrap();
        assert_eq!(account.logoff_at, Some(site.now() + minutes(6 * 60)));
    }
    let end = site.now() + minutes(90);
    site.edit("ann", AccountEdit { expires: Some(Some(end)), ..fresh });
    assert_eq!(Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap().logoff_at, Some(end));
    site.wait(minutes(90));
    assert_eq!(Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap_err(), Refusal::AccountExpired);
}

pub fn passwords_grow_old<S: Store>(site: Site<S>) {
    site.add("ann");
    let mut policy = site.directory.store().policy().unwrap();
    policy.password.max_age = Some(minutes(60));
    site.directory.store().set_policy(&policy).unwrap();
    let end = Some(site.now() + minutes(60));
    site.wait(minutes(59));
    assert_eq!(Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap().password_expires_at, end);
    site.wait(minutes(1));
    assert_eq!(Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap_err(), Refusal::PasswordExpired);
    assert_eq!(Client::new("ann", "wrong").ntlm(&site.directory).unwrap_err(), Refusal::WrongProof);
    site.edit("ann", AccountEdit { password_never_expires: Some(true), ..AccountEdit::default() });
    assert_eq!(Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap().password_expires_at, None);
    site.edit("ann", AccountEdit { password_never_expires: Some(false), ..AccountEdit::default() });
    site.directory.set_password("ann", &Secret::new("a new password".into()), false).unwrap();
    assert!(Client::new("ann", "a new password").ntlm(&site.directory).is_ok());
    site.directory.set_password("ann", &Secret::new("yet another one".into()), true).unwrap();
    assert_eq!(Client::new("ann", "yet another one").plain(&site.directory).unwrap_err(), Refusal::MustChange);
}

pub fn accounts_without_password<S: Store>(site: Site<S>) {
    site.add_with("none", NewSecret::None, AccountEdit::default());
    let empty = portcullis::ntlm::keys::nt_hash("");
    site.add_with("empty", NewSecret::NtHash(empty), AccountEdit::default());
    for user in ["none", "empty"] {
        for password in ["", "x", PASSWORD] {
            assert_eq!(Client::new(user, password).ntlm(&site.directory).unwrap_err(), Refusal::NoPassword, "{user}");
        }
        assert_eq!(Client::new(user, "x").plain(&site.directory).unwrap_err(), Refusal::NoPassword, "{user}");
    }
    let new = NewAccount {
        name: "x".into(),
        secret: NewSecret::Password(Secret::new(String::new())),
        edit: AccountEdit::default(),
        groups: vec![],
    };
    let error = site.directory.add_account(new).unwrap_err();
    assert!(matches!(error, AdminError::Password(PasswordRefused::Empty)));
}

pub fn imported_hashes<S: Store>(site: Site<S>) {
    let hash = portcullis::ntlm::keys::nt_hash("from elsewhere");
    site.add_with("ann", NewSecret::NtHash(hash), AccountEdit::default());
    for log_on in [Client::ntlm, Client::plain] {
        assert!(log_on(&Client::new("ann", "from elsewhere"), &site.directory).is_ok());
        assert_eq!(log_on(&Client::new("ann", "wrong"), &site.directory).unwrap_err(), Refusal::WrongProof);
    }
}

pub fn nested_groups<S: Store>(site: Site<S>) {
    let ann = site.add("ann");
    let d = &site.directory;
    let rid = |name: &str| d.member_rid(name).unwrap();
    for name in ["Team", "Department", "Company", "Loop", "Everyone Here", "Strangers"] {
        d.add_group(name, "").unwrap();
    }
    for (group, member) in [
        ("Team", "ann"),
        ("Department", "Team"),
        ("Company", "Department"),
        ("Company", "Team"),
        ("Loop", "Company"),
        ("Team", "Loop"),
        ("Team", "Team"),
        ("Everyone Here", "Domain Users"),
    ] {
        assert!(d.store().add_member(rid(group), rid(member)).unwrap(), "{group} {member}");
        assert!(!d.store().add_member(rid(group), rid(member)).unwrap());
    }
    let names = |client: &Client<'_>| -> Vec<String> {
        client.ntlm(&site.directory).unwrap().groups.iter().map(|group| group.name.clone()).collect()
    };
    let ann_client = Client::new("ann", PASSWORD);
    assert_eq!(names(&ann_client), ["Domain Users", "Team", "Department", "Company", "Loop", "Everyone Here"]);
    d.store().remove_member(rid("Department"), rid("Team")).unwrap();
    d.store().remove_member(rid("Company"), rid("Team")).unwrap();
    assert_eq!(names(&ann_client), ["Domain Users", "Team", "Everyone Here"]);
    d.store().remove_group(rid("Team")).unwrap();
    assert_eq!(names(&ann_client), ["Domain Users", "Everyone Here"]);
    // A chain of many groups ends at the bound.
    let mut inner = ann.rid;
    for number in 0..MAX_GROUPS + 10 {
        let sid = "S-1-5-21-1-2-3".parse::<portcullis::Sid>().unwrap();
        let rid = 100_000 + u32::try_from(number).unwrap();
        let group =
            GroupEntry { rid, sid: sid.child(rid).unwrap(), name: format!("g{number}"), description: String::new() };
        d.store().add_group(&group).unwrap();
        d.store().add_member(rid, inner).unwrap();
        inner = rid;
    }
    assert_eq!(names(&ann_client).len(), MAX_GROUPS);
}

pub fn groups_are_administered<S: Store>(site: Site<S>) {
    let ann = site.add("ann");
    let d = &site.directory;
    let store = d.store();
    let staff = d.add_group("Staff", "all of us").unwrap();
    assert_eq!(store.group("STAFF").unwrap().unwrap(), staff);
    assert!(matches!(d.add_group("staff", ""), Err(AdminError::Store(StoreError::NameTaken(_)))));
    assert!(matches!(d.add_group("Ann", ""), Err(AdminError::Store(StoreError::NameTaken(_)))));
    assert!(matches!(d.add_group("a/b", ""), Err(AdminError::BadName(_))));
    assert!(matches!(store.add_member(513, ann.rid), Err(StoreError::BuiltIn)));
    assert!(matches!(store.remove_group(513), Err(StoreError::BuiltIn)));
    assert!(matches!(store.add_member(4711, ann.rid), Err(StoreError::NoSuchGroup)));
    assert!(matches!(store.add_member(staff.rid, 4711), Err(StoreError::NoSuchMember)));
    assert!(matches!(store.remove_group(4711), Err(StoreError::NoSuchGroup)));
    store.add_member(staff.rid, ann.rid).unwrap();
    store.add_member(staff.rid, 513).unwrap();
    let members = store.members(staff.rid).unwrap();
    let members: Vec<_> = members.iter().map(|member| (member.name.as_str(), member.is_group)).collect();
    assert_eq!(members, [("ann", false), ("Domain Users", true)]);
    store.remove_account(ann.rid).unwrap();
    assert_eq!(store.members(staff.rid).unwrap().len(), 1);
    let names: Vec<_> = store.groups().unwrap().into_iter().map(|group| group.name).collect();
    assert_eq!(names, ["Domain Users", "Staff"]);
}

pub fn lockout_by_address<S: Store>(site: Site<S>) {
    site.add("ann");
    let (here, there) = ("192.0.2.1", "198.51.100.7");
    let wrong = |address: &str| Client::new("ann", "wrong").from(address).ntlm(&site.directory).unwrap_err();
    let right = |address: &str| Client::new("ann", PASSWORD).from(address).ntlm(&site.directory).err();
    for _ in 0..10 {
        assert_eq!(wrong(here), Refusal::WrongProof);
    }
    assert_eq!(wrong(here), Refusal::LockedOut);
    assert_eq!(right(here), Some(Refusal::LockedOut));
    // Whoever guesses cannot lock the owner out elsewhere.
    assert_eq!(right(there), None);
    assert_eq!(wrong(there), Refusal::WrongProof);
    // All spellings of the name are one.
    for user in ["ANN", "ann@corp.example"] {
        let client = Client::new(user, PASSWORD).domain("").from(here);
        assert_eq!(client.ntlm(&site.directory).unwrap_err(), Refusal::LockedOut);
    }
    site.wait(minutes(10));
    assert_eq!(right(here), None);
    assert_eq!(wrong(here), Refusal::WrongProof);
    // An IPv6 customer is one address.
    for host in 0..10 {
        assert_eq!(wrong(&format!("2001:db8::{host}")), Refusal::WrongProof);
    }
    assert_eq!(right("2001:db8::ffff"), Some(Refusal::LockedOut));
    assert_eq!(right("2001:db8:0:1::ffff"), None);
    let locks = site.directory.store().locks(AccountKey::of("ANN"), site.now()).unwrap();
    let locked: Vec<_> = locks.iter().filter(|lock| lock.locked).collect();
    assert_eq!((locked.len(), locked[0].address.as_str()), (1, "2001:db8::/64"));
    assert_eq!(locked[0].locked_until, Some(site.now() + minutes(10)));
}

pub fn lockout_for_all<S: Store>(site: Site<S>) {
    site.add("ann");
    site.lockout(|lockout| lockout.global_threshold = 25);
    for address in 0..25 {
        let client = Client::new("ann", "wrong").from(&format!("192.0.2.{address}"));
        assert_eq!(client.ntlm(&site.directory).unwrap_err(), Refusal::WrongProof);
    }
    let fresh = Client::new("ann", PASSWORD).from("198.51.100.7");
    assert_eq!(fresh.ntlm(&site.directory).unwrap_err(), Refusal::LockedOut);
    assert!(site.directory.store().unlock(AccountKey::of("ann")).unwrap() >= 26);
    assert!(fresh.ntlm(&site.directory).is_ok());
}

pub fn lockout_until_unlocked<S: Store>(site: Site<S>) {
    site.add("ann");
    site.lockout(|lockout| (lockout.threshold, lockout.duration) = (2, Duration::ZERO));
    for _ in 0..2 {
        assert_eq!(Client::new("ann", "wrong").ntlm(&site.directory).unwrap_err(), Refusal::WrongProof);
    }
    site.wait(minutes(60 * 24 * 365));
    assert_eq!(Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap_err(), Refusal::LockedOut);
    let locks = site.directory.store().locks(AccountKey::of("ann"), site.now()).unwrap();
    assert!(locks.iter().any(|lock| lock.locked && lock.locked_until.is_none()));
    site.directory.store().unlock(AccountKey::of("ann")).unwrap();
    assert!(Client::new("ann", PASSWORD).ntlm(&site.directory).is_ok());
    // Switched off.
    site.lockout(|lockout| (lockout.threshold, lockout.global_threshold, lockout.address_threshold) = (0, 0, 0));
    for _ in 0..200 {
        assert_eq!(Client::new("ann", "wrong").ntlm(&site.directory).unwrap_err(), Refusal::WrongProof);
    }
    assert!(Client::new("ann", PASSWORD).ntlm(&site.directory).is_ok());
}

pub fn throttled_addresses<S: Store>(site: Site<S>) {
    site.add("ann");
    site.lockout(|lockout| lockout.address_threshold = 20);
    let attempt = |number: u32, address: &str| {
        let name = format!("user{number}");
        Client::new(&name, "wrong").from(address).ntlm(&site.directory).unwrap_err()
    };
    for number in 0..20 {
        assert_eq!(attempt(number, "192.0.2.1"), Refusal::UnknownAccount);
    }
    assert_eq!(attempt(20, "192.0.2.1"), Refusal::Throttled);
    assert_eq!(Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap_err(), Refusal::Throttled);
    assert!(Client::new("ann", PASSWORD).from("192.0.2.2").ntlm(&site.directory).is_ok());
    for loopback in ["127.0.0.1", "::1"] {
        for number in 0..30 {
            assert_eq!(attempt(number, loopback), Refusal::UnknownAccount);
        }
    }
    site.wait(minutes(10));
    assert!(Client::new("ann", PASSWORD).ntlm(&site.directory).is_ok());
    site.lockout(|lockout| lockout.loopback_exempt = false);
    (0..20).for_each(|number| assert_eq!(attempt(number, "127.0.0.1"), Refusal::UnknownAccount));
    assert_eq!(attempt(0, "127.0.0.1"), Refusal::Throttled);
}

/// Sixty-four at once: exactly ten are told apart from "locked".
pub fn parallel_failures<S: Store>(site: Site<S>) {
    site.add("ann");
    // Each reads another time, as threads do that overtake each other.
    let (ticks, start) = (AtomicU64::new(0), site.now());
    let Site { directory, clock, _keys } = site;
    let directory = directory.with_clock(move || start - Duration::from_millis(ticks.fetch_add(1, Ordering::SeqCst)));
    let site = Site { directory, clock, _keys };
    for user in ["ann", "nobody"] {
        let counted = at_once(64, |_| Client::new(user, "wrong").ntlm(&site.directory).unwrap_err());
        let first = if user == "ann" { Refusal::WrongProof } else { Refusal::UnknownAccount };
        assert_eq!(counted, BTreeMap::from([(name(first), 10), (name(Refusal::LockedOut), 54)]));
    }
    assert_eq!(Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap_err(), Refusal::LockedOut);
    site.lockout(|lockout| lockout.address_threshold = 30);
    let users: Vec<String> = (0..64).map(|number| format!("u{number}")).collect();
    let counted =
        at_once(64, |at| Client::new(&users[at], "wrong").from("192.0.2.9").ntlm(&site.directory).unwrap_err());
    assert_eq!(counted, BTreeMap::from([(name(Refusal::UnknownAccount), 30), (name(Refusal::Throttled), 34)]));
}

/// Right and wrong at once: nobody gets another's name, and every right one gets in.
pub fn parallel_logons<S: Store>(site: Site<S>) {
    let users = ["ann", "bob", "eve", "jim"];
    users.iter().for_each(|user| drop(site.add(user)));
    site.lockout(|lockout| (lockout.threshold, lockout.global_threshold, lockout.address_threshold) = (0, 0, 0));
    let counted = at_once(64, |at| {
        for round in 0..8 {
            let user = users[(at + round) % users.len()];
            if round % 3 == 2 {
                assert_eq!(Client::new(user, "wrong").ntlm(&site.directory).unwrap_err(), Refusal::WrongProof);
            } else {
                assert_eq!(Client::new(user, PASSWORD).ntlm(&site.directory).unwrap().name, user);
            }
        }
        Refusal::NotAnswered
    });
    assert_eq!(counted.values().sum::<u32>(), 64);
}

fn name(refusal: Refusal) -> &'static str {
    refusal.row().name
}

fn at_once(count: usize, work: impl Fn(usize) -> Refusal + Sync) -> BTreeMap<&'static str, u32> {
    let barrier = Barrier::new(count);
    let mut counted = BTreeMap::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count)
            .map(|at| {
                let (barrier, work) = (&barrier, &work);
                scope.spawn(move || {
                    barrier.wait();
                    work(at)
                })
            })
            .collect();
        for thread in threads {
            *counted.entry(name(thread.join().unwrap())).or_default() += 1;
        }
    });
    counted
}

pub fn a_right_logon_resets<S: Store>(site: Site<S>) {
    site.add("ann");
    for _ in 0..3 {
        for _ in 0..9 {
            assert_eq!(Client::new("ann", "wrong").ntlm(&site.directory).unwrap_err(), Refusal::WrongProof);
        }
        assert!(Client::new("ann", PASSWORD).ntlm(&site.directory).is_ok());
    }
    // The window ends it too.
    for _ in 0..9 {
        assert_eq!(Client::new("ann", "wrong").ntlm(&site.directory).unwrap_err(), Refusal::WrongProof);
    }
    site.wait(minutes(10));
    for _ in 0..10 {
        assert_eq!(Client::new("ann", "wrong").ntlm(&site.directory).unwrap_err(), Refusal::WrongProof);
    }
    assert_eq!(Client::new("ann", "wrong").ntlm(&site.directory).unwrap_err(), Refusal::LockedOut);
}

pub fn names_nobody_has_are_counted<S: Store>(site: Site<S>) {
    site.add("ann");
    let store = site.directory.store();
    for (user, reason) in [("ann", Refusal::WrongProof), ("nobody", Refusal::UnknownAccount)] {
        for _ in 0..10 {
            assert_eq!(Client::new(user, "wrong").ntlm(&site.directory).unwrap_err(), reason);
        }
        assert_eq!(Client::new(user, "wrong").ntlm(&site.directory).unwrap_err(), Refusal::LockedOut);
    }
    let [ann, nobody] = ["ann", "nobody"].map(|user| store.locks(AccountKey::of(user), site.now()).unwrap());
    assert_eq!(ann, nobody);
    assert_eq!(ann.iter().map(|lock| lock.failures).collect::<Vec<_>>(), [10, 10]);
}

pub fn accounts_are_administered<S: Store>(site: Site<S>) {
    let ann = site.add("Ann");
    let bob = site.add("bob");
    assert_eq!((ann.rid, bob.rid), (1000, 1001));
    let d = &site.directory;
    let taken =
        NewAccount { name: "ANN".into(), secret: NewSecret::None, edit: AccountEdit::default(), groups: vec![] };
    assert!(matches!(d.add_account(taken), Err(AdminError::Store(StoreError::NameTaken(name))) if name == "ANN"));
    let edit = AccountEdit {
        upn: Some(Some("ann@corp.example".into())),
        display_name: Some(Some("Ann Smith".into())),
        mail: Some(Some("ann@example.com".into())),
        workstations: Some(vec!["PC1".into(), "PC2".into()]),
        hours: Some("mon-fri 08:00-18:00".parse().unwrap()),
        expires: Some(Some(site.now() + minutes(1))),
        ..AccountEdit::default()
    };
    let changed = d.edit_account("ann", edit.clone()).unwrap();
    assert_eq!(d.account("ann@corp.example").unwrap(), changed);
    assert_eq!((changed.display_name.as_deref(), changed.workstations.len()), (Some("Ann Smith"), 2));
    assert_eq!(changed.expires, Some(site.now() + minutes(1)));
    let upn = AccountEdit { upn: edit.upn, ..AccountEdit::default() };
    assert!(matches!(d.edit_account("bob", upn), Err(AdminError::Store(StoreError::UpnTaken(_)))));
    let nothing = AccountEdit { upn: Some(None), mail: Some(None), ..AccountEdit::default() };
    assert_eq!(d.edit_account("ann", nothing).unwrap().upn, None);
    assert!(matches!(d.account("ann@corp.example"), Err(AdminError::NoSuchAccount(_))));
    for bad in ["", "a/b", "a@b", "...", "a\n", " a", "a ", &"x".repeat(65)] {
        let new =
            NewAccount { name: bad.into(), secret: NewSecret::None, edit: AccountEdit::default(), groups: vec![] };
        assert!(matches!(d.add_account(new), Err(AdminError::BadName(_))), "{bad:?}");
    }
    d.store().remove_account(bob.rid).unwrap();
    assert!(matches!(d.store().remove_account(bob.rid), Err(StoreError::NoSuchAccount)));
    // Its relative id is never given again.
    assert!(site.add("bob").rid > bob.rid);
    let names: Vec<_> = d.store().accounts().unwrap().into_iter().map(|account| account.name).collect();
    assert_eq!(names, ["Ann", "bob"]);
    let renamed = DomainNames::new("NEWCORP", "new.example").unwrap();
    d.store().rename_domain(&renamed).unwrap();
    assert_eq!(d.domain().unwrap().names, renamed);
    assert_eq!(Client::new("bob", PASSWORD).domain("newcorp").ntlm(d).unwrap().domain, "NEWCORP");
}

pub fn all_or_none<S: Store>(site: Site<S>) {
    let d = &site.directory;
    d.add_group("Staff", "").unwrap();
    let account = |name: &str, groups: &[&str]| NewAccount {
        name: name.into(),
        secret: NewSecret::None,
        edit: AccountEdit::default(),
        groups: groups.iter().map(|name| (*name).to_owned()).collect(),
    };
    let batch = [account("a", &["staff"]), account("b", &[]), account("A", &[])];
    let error = d.add_accounts(&batch, &|_| {}).unwrap_err();
    assert_eq!((error.at, error.to_string()), (Some(2), "an account or group named `A` exists already".into()));
    let error = d.add_accounts(&[account("a", &[]), account("b", &["Nobody's"])], &|_| {}).unwrap_err();
    assert_eq!(error.at, Some(1));
    assert!(d.store().accounts().unwrap().is_empty());
    assert!(d.store().members(d.group("staff").unwrap().rid).unwrap().is_empty());
    assert_eq!(d.add_accounts(&batch[..2], &|_| {}).unwrap().len(), 2);
    assert_eq!(d.store().members(d.group("staff").unwrap().rid).unwrap().len(), 1);
}

pub fn keys_change<S: Store>(site: Site<S>) {
    site.add("ann");
    site.add_with("none", NewSecret::None, AccountEdit::default());
    let d = &site.directory;
    let before = d.store().key_id().unwrap();
    let sealed = |name| d.store().find(Lookup::Name(name)).unwrap().unwrap().sealed;
    let old = sealed("ann").unwrap();
    let rotated = d.rotate_key().unwrap();
    assert_eq!((rotated.from, rotated.secrets), (before, 1));
    assert_eq!(d.store().key_id().unwrap(), rotated.to);
    assert_eq!(sealed("ann").unwrap().key, rotated.to);
    assert_eq!(d.keys().current().unwrap().ids().collect::<Vec<_>>(), [rotated.to]);
    assert!(Client::new("ann", PASSWORD).ntlm(d).is_ok());
    // What was sealed before the change is no longer taken.
    let rid = d.account("ann").unwrap().rid;
    assert!(matches!(d.store().set_secret(rid, &old, site.now(), false), Err(StoreError::StaleKey)));
    assert_ne!(d.rotate_key().unwrap().to, rotated.to);
    site.add("bob");
    assert!(Client::new("ann", PASSWORD).plain(d).is_ok() && Client::new("bob", PASSWORD).ntlm(d).is_ok());
}

/// A power failure at each step of a change of keys.
pub fn interrupted_changes_of_keys<S: Store>(site: Site<S>) {
    struct Interrupted<'a>(&'a KeySource);
    impl Rotation for Interrupted<'_> {
        fn choose(&mut self, _: KeyId) -> Result<KeyId, StoreError> {
            let key = MasterKey::generate()?;
            let id = key.id();
            self.0.replace(&self.0.load()?.with(key))?;
            Ok(id)
        }
        fn reseal(&mut self, _: &portcullis::Sid, _: &Sealed) -> Result<Sealed, StoreError> {
            Err(StoreError::Damaged("the power failed".into()))
        }
    }
    site.add("ann");
    let d = &site.directory;
    let before = d.store().key_id().unwrap();
    d.store().reseal(&mut Interrupted(d.keys().source())).unwrap_err();
    let both: Vec<_> = d.keys().current().unwrap().ids().collect();
    assert_eq!((both.len(), d.store().key_id().unwrap()), (2, before));
    assert!(Client::new("ann", PASSWORD).ntlm(d).is_ok());
    site.add("bob");
    // Running it again finishes with the key that was begun with.
    let rotated = d.rotate_key().unwrap();
    assert_eq!((rotated.from, rotated.to, rotated.secrets), (both[0], both[1], 2));
    // Interrupted before the old key was dropped: the next change drops it.
    let (old, new) = (MasterKey::generate().unwrap(), d.keys().current().unwrap());
    let file = d.keys().source();
    let text = format!("key {}\n{}", old.to_hex().expose(), std::fs::read_to_string(path(file)).unwrap());
    std::fs::write(path(file), text).unwrap();
    assert_eq!(d.keys().current().unwrap().ids().count(), 2);
    let rotated = d.rotate_key().unwrap();
    assert_eq!(new.ids().collect::<Vec<_>>(), [rotated.from]);
    assert_eq!(d.keys().current().unwrap().ids().collect::<Vec<_>>(), [rotated.to]);
    for user in ["ann", "bob"] {
        assert!(Client::new(user, PASSWORD).ntlm(d).is_ok());
    }
}

fn path(source: &KeySource) -> &std::path::Path {
    match source {
        KeySource::File(path) => path,
        KeySource::Environment => panic!("a file"),
    }
}

pub fn logons_are_noted_coarsely<S: Store>(site: Site<S>) {
    site.add("ann");
    let last = || site.directory.account("ann").unwrap().last_logon;
    assert_eq!(last(), None);
    Client::new("ann", "wrong").ntlm(&site.directory).unwrap_err();
    assert_eq!(last(), None);
    Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap();
    let first = site.now();
    assert_eq!(last(), Some(first));
    site.wait(minutes(59));
    Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap();
    assert_eq!(last(), Some(first));
    site.wait(minutes(1));
    Client::new("ann", PASSWORD).ntlm(&site.directory).unwrap();
    assert_eq!(last(), Some(first + minutes(60)));
}
