//! Kerberos tickets opened by a keytab, while the file changes.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod kerberos;

use kerberos::{Held, Nobody, cause, keytab, opening, opening_for};
use portcullis::kerberos::ServiceNames;
use portcullis::kerberos::crypto::Enctype;
use portcullis::{Authority as _, Question, Refusal, Vouched};
use portcullis_authority::settings::{KerberosPolicy, ReplayPlace};
use portcullis_authority::{
    Authorities, KeytabAuthority, KeytabOptions, Lasting, ReplayCache, Replays, SeenStore, Sqlite, StoreError,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

/// Another file in the place of one, in one step.
fn replace(path: &Path, keys: &[Held]) {
    let fresh = path.with_extension("fresh");
    fs::write(&fresh, keytab(keys)).unwrap();
    fs::rename(&fresh, path).unwrap();
}

fn site(keys: &[Held]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("krb5.keytab");
    replace(&path, keys);
    (folder, path)
}

fn open(path: &Path) -> KeytabAuthority {
    KeytabAuthority::open(path, KeytabOptions::default()).unwrap()
}

#[test]
fn a_ticket_is_opened_by_the_key_that_made_it() {
    let (one, two) = (Held::http(1), Held::http(2));
    let (_folder, path) = site(&[one, two]);
    let authority = open(&path);
    for key in [one, two] {
        let question = opening(key.ticket());
        let answer = authority.answer(&question);
        let Ok(Vouched::Ticket(opened)) = answer.verdict() else { panic!("{answer:?}") };
        let service = opened.service();
        assert_eq!(service.principal, "HTTP/web1.corp.example@CORP.EXAMPLE");
        assert_eq!((service.kvno, service.enctype), (key.kvno, Enctype::Aes256Sha1));
        assert!(!opened.part().expose().is_empty());
    }
    let answer = authority.answer(&opening(Held::http(3).ticket()));
    let denied = answer.denied().unwrap();
    assert_eq!(denied.cause.name(), "kerberos/no-key-version");
    assert!(denied.detail.contains("kvno 3") && denied.detail.contains("held"), "{}", denied.detail);
    assert_eq!(
        cause(&authority.answer(&kerberos::seen([1; 16], SystemTime::now(), SystemTime::now()))),
        "account/not-answered"
    );
}

/// A password that was changed a moment ago, sooner than the file is looked at by itself.
#[test]
fn a_new_key_is_found_by_the_first_ticket_that_needs_it() {
    let (_folder, path) = site(&[Held::http(1)]);
    let authority = open(&path);
    for kvno in 2..20 {
        replace(&path, &[Held::http(kvno)]);
        assert_eq!(cause(&authority.answer(&opening(Held::http(kvno).ticket()))), "ok", "{kvno}");
        assert_eq!(cause(&authority.answer(&opening(Held::http(1).ticket()))), "ok", "a ticket of before");
    }
    // Also where it was the same version under another password.
    let other = Held { fill: 99, ..Held::http(19) };
    assert_eq!(cause(&authority.answer(&opening(other.ticket()))), "kerberos/ticket-not-decryptable");
    replace(&path, &[other]);
    assert_eq!(cause(&authority.answer(&opening(other.ticket()))), "ok");
}

/// Tickets of the old key and of the new one, while the file is replaced again and again, and is now and then half there.
#[test]
fn no_logon_is_lost_while_the_file_changes() {
    let (folder, path) = site(&[Held::http(1)]);
    let authority = open(&path);
    let done = AtomicBool::new(false);
    let ticket = Held::http(1).ticket();
    let mut judged = 0;
    std::thread::scope(|scope| {
        let logons: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut count = 0;
                    while !done.load(Ordering::Relaxed) {
                        assert_eq!(cause(&authority.answer(&opening(ticket.clone()))), "ok");
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        for kvno in 2..40 {
            let whole = keytab(&[Held::http(kvno), Held::http(kvno - 1)]);
            let half = folder.path().join("half");
            fs::write(&half, &whole[..whole.len() / 2]).unwrap();
            fs::rename(&half, &path).unwrap();
            authority.refresh();
            replace(&path, &[Held::http(kvno), Held::http(kvno - 1)]);
            authority.refresh();
        }
        done.store(true, Ordering::Relaxed);
        judged = logons.into_iter().map(|logon| logon.join().unwrap()).sum::<u32>();
    });
    assert!(judged > 0);
    assert_eq!(cause(&authority.answer(&opening(Held::http(39).ticket()))), "ok");
}

#[test]
fn the_authoritys_own_list_of_services_holds_whatever_is_asked() {
    let ldap = Held { service: ["ldap", "web1.corp.example"], fill: 200, ..Held::http(1) };
    let (_folder, path) = site(&[Held::http(1), ldap]);
    let services = ServiceNames::List(vec!["http/web1.corp.example".into()]);
    let authority =
        KeytabAuthority::open(&path, KeytabOptions { services: services.clone(), ..KeytabOptions::default() }).unwrap();
    assert_eq!(cause(&authority.answer(&opening(Held::http(1).ticket()))), "ok");
    assert_eq!(cause(&authority.answer(&opening(ldap.ticket()))), "kerberos/service-not-ours");
    // And the question's own.
    let authority = open(&path);
    assert_eq!(cause(&authority.answer(&opening(ldap.ticket()))), "ok");
    assert_eq!(cause(&authority.answer(&opening_for(ldap.ticket(), services))), "kerberos/service-not-ours");
}

/// One account, whose key stands under each of its names: what the ticket names counts for nothing, so it is for the name
/// that both lists have.
#[test]
fn a_key_of_several_names_is_used_for_the_one_that_is_allowed() {
    let ldap = Held { service: ["ldap", "web1.corp.example"], ..Held::http(1) };
    let (_folder, path) = site(&[ldap, Held::http(1)]);
    let list = |names: &[&str]| ServiceNames::List(names.iter().map(ToString::to_string).collect());
    let authority =
        |services| KeytabAuthority::open(&path, KeytabOptions { services, ..KeytabOptions::default() }).unwrap();
    let (http, both) = (list(&["HTTP/web1.corp.example"]), list(&["ldap/web1.corp.example", "HTTP/web1.corp.example"]));
    for (serving, allowed) in [(http.clone(), ServiceNames::Any), (http.clone(), both.clone()), (both, http.clone())] {
        let answer = authority(serving).answer(&opening_for(ldap.ticket(), allowed));
        let Ok(Vouched::Ticket(opened)) = answer.verdict() else { panic!("{:?}", answer.denied()) };
        assert_eq!(opened.service().principal, "HTTP/web1.corp.example@CORP.EXAMPLE");
    }
    let answer = authority(http).answer(&opening_for(ldap.ticket(), list(&["ldap/web1.corp.example"])));
    assert_eq!(cause(&answer), "kerberos/service-not-ours");
}

struct NoStore;

impl SeenStore for NoStore {
    fn remember(&self, _: &[u8; 16], _: SystemTime, _: SystemTime) -> Result<bool, StoreError> {
        panic!("nobody asked for it")
    }
}

#[test]
fn each_question_goes_to_the_one_that_answers_its_kind() {
    let (_folder, path) = site(&[Held::http(1)]);
    let replays = Arc::new(Replays::in_memory(Arc::new(ReplayCache::new(10))));
    let whole = Authorities { accounts: Arc::new(Nobody), tickets: Some(Arc::new(open(&path))), replays };
    let without = Authorities { tickets: None, ..whole.clone() };
    assert!(whole.opens_tickets() && !without.opens_tickets());
    assert_eq!(cause(&whole.answer(&opening(Held::http(1).ticket()))), "ok");
    assert_eq!(cause(&without.answer(&opening(Held::http(1).ticket()))), "kerberos/no-keytab");
    let now = SystemTime::now();
    let seen = || kerberos::seen([1; 16], now, now + std::time::Duration::from_secs(10));
    assert_eq!(cause(&whole.answer(&seen())), "ok");
    assert_eq!(cause(&without.answer(&seen())), "kerberos/replayed", "they share it");
    let password = portcullis::VerifyPassword::new(portcullis::Claim::default(), String::new().into(), None);
    assert_eq!(cause(&whole.answer(&Question::VerifyPassword(password))), "account/unknown-account");
    assert_eq!(Refusal::UnknownAccount.row().name, "account/unknown-account");
}

/// What a server that reads its configuration anew must not forget.
#[test]
fn settings_are_read_anew_and_nothing_is_forgotten() {
    let (folder, path) = site(&[Held::http(1)]);
    let lasting = Lasting::new();
    let now = SystemTime::now();
    let make = |policy: &KerberosPolicy| lasting.authorities(policy, Arc::new(Nobody), Arc::new(NoStore));
    let seen = |tag: u8| kerberos::seen([tag; 16], now, now + std::time::Duration::from_secs(10));
    let policy = KerberosPolicy { keytab: Some(path.clone()), ..KerberosPolicy::default() };
    let first = make(&policy).unwrap();
    assert_eq!(cause(&first.answer(&seen(1))), "ok");
    replace(&path, &[Held::http(2)]);
    let second = make(&policy).unwrap();
    assert_eq!(cause(&second.answer(&seen(1))), "kerberos/replayed");
    for kvno in [1, 2] {
        assert_eq!(cause(&second.answer(&opening(Held::http(kvno).ticket()))), "ok", "{kvno}");
    }
    // A keytab that cannot be used leaves what was.
    let missing = KerberosPolicy { keytab: Some(folder.path().join("none")), ..KerberosPolicy::default() };
    assert!(make(&missing).is_err());
    let small = KerberosPolicy { replay_entries: 1, retire_keys_hours: 0, ..policy.clone() };
    let third = make(&small).unwrap();
    assert_eq!(cause(&third.answer(&seen(2))), "kerberos/replay-cache-full");
    replace(&path, &[Held::http(3)]);
    assert_eq!(cause(&third.answer(&opening(Held::http(3).ticket()))), "ok");
    assert_eq!(cause(&third.answer(&opening(Held::http(1).ticket()))), "kerberos/no-key-version");
    assert!(!make(&KerberosPolicy::default()).unwrap().opens_tickets());

    let store = Arc::new(Sqlite::create(&folder.path().join("portcullis.db")).unwrap());
    let stored = KerberosPolicy { replay: ReplayPlace::Store, ..KerberosPolicy::default() };
    let stored = lasting.authorities(&stored, Arc::new(Nobody), Arc::clone(&store) as _).unwrap();
    assert_eq!((cause(&stored.answer(&seen(1))), cause(&stored.answer(&seen(3)))), ("kerberos/replayed", "ok"));
    let until = now + std::time::Duration::from_secs(10);
    assert!(!store.remember(&[3; 16], now, until).unwrap() && store.remember(&[4; 16], now, until).unwrap());
}
