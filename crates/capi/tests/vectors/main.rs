//! The vectors that the Rust library is held to, byte for byte through the C functions.
//!
//! - `foretold` gives the library each vector's clock and challenge, from outside;
//! - `accounts` puts its accounts into a store, or behind an authority's socket;
//! - `player` plays it through the function table, and compares statuses, causes, replies, facts and the audit log;
//! - `tickets` plays those of Kerberos, each in a process of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a test"
)]

mod accounts;
mod foretold;
#[path = "../harness/mod.rs"]
mod harness;
mod player;
#[path = "../sspi/mod.rs"]
#[allow(dead_code, reason = "other tests have use for the rest")]
mod sspi;
mod tickets;

use accounts::Accounts;
use portcullis_testkit::vector::{Package, Vector};
use sspi::{INBOUND, Library, SecHandle};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Those that cannot be played as they stand, and why.
const NOT_PLAYED: &[(&str, &str)] =
    &[("negotiate/ntlm-excluded", NO_MECHANISM), ("negotiate/raw-ntlm-excluded", NO_MECHANISM)];
const NO_MECHANISM: &str = "no credential comes of a package list that leaves no mechanism; \
    `a_list_that_leaves_no_mechanism` shows it";

/// Those whose accounts cannot be as they say in a store; the vectors' own realm answers for them, over the socket.
const OVER_THE_SOCKET: &[(&str, &str)] = &[
    ("negotiate/authority-unreachable", "only what is in another process can be out of reach"),
    ("ntlm/authority-unreachable", "only what is in another process can be out of reach"),
    ("ntlm/not-answered", "a store answers all questions of NTLM"),
    ("ntlm/store-unreachable", "a store that is gone is found out when a credential is acquired"),
    ("ntlm/throttled", "the host told no address that could be throttled"),
    ("ntlm/state-locked-wrong-password", "a store says of a wrong proof that the account is locked"),
];
/// The same for whole sources.
const PUBLISHED: &str = "the published domain is `Domain`, and stores keep NetBIOS names in upper case";

/// Every vector of sspi.h's packages, by its path below `vectors/`.
fn vectors() -> BTreeMap<String, Vector> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors");
    let mut found = BTreeMap::new();
    for folder in fs::read_dir(&root).unwrap() {
        let folder = folder.unwrap();
        let (path, folder) = (folder.path(), folder.file_name().into_string().unwrap());
        if !path.is_dir() {
            continue;
        }
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{folder}/{}", path.file_stem().unwrap().to_str().unwrap());
            let text = fs::read_to_string(&path).unwrap();
            found.insert(name.clone(), Vector::parse(&text).unwrap_or_else(|why| panic!("{name}: {why}")));
        }
    }
    // A password that is sent as it is belongs to HTTP's Basic and LDAP's bind: sspi.h has no package for it.
    found.retain(|name, vector| {
        assert_eq!(vector.setup.package == Package::Password, name.starts_with("password/"), "{name}");
        vector.setup.package != Package::Password
    });
    found
}

fn is_in(table: &[(&str, &str)], name: &str) -> bool {
    table.iter().any(|row| row.0 == name)
}

#[test]
fn every_vector_ends_in_c_as_it_says() {
    assert!(foretold::are_found(), "the library would not ask this program for the time and random bytes");
    let vectors = vectors();
    let without_tickets =
        |(name, vector): &(&String, &Vector)| vector.setup.kerberos.is_none() && !is_in(NOT_PLAYED, name);
    let (mut libraries, mut stores) = (BTreeMap::new(), BTreeMap::new());
    let (mut wrong, mut played, mut over_the_socket) = (Vec::new(), 0, 0);
    for (name, vector) in vectors.iter().filter(without_tickets) {
        let config = player::config(&vector.setup);
        let library =
            libraries.entry(config.clone()).or_insert_with(|| Library::with_config(&harness::library(), &config));
        let realm = &vector.setup.realm;
        let mut served;
        let accounts = if is_in(OVER_THE_SOCKET, name) || realm.domain.contains(char::is_lowercase) {
            over_the_socket += 1;
            served = Accounts::socket(&vector.setup);
            &mut served
        } else {
            let now = vector.setup.settings.now;
            stores.entry(format!("{now} {realm:?}")).or_insert_with(|| Accounts::store(realm, now))
        };
        played += 1;
        if let Err(why) = player::play(vector, library, accounts, true) {
            wrong.push(format!("{name}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {played}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(played + tickets::all(&vectors).count() + NOT_PLAYED.len(), vectors.len());
    assert!(played >= 240, "only {played} vectors were played");
    println!("{played} vectors in {} configurations, {over_the_socket} over the socket", libraries.len());
}

/// Who is listed is there, and has its reason.
#[test]
fn exceptions_are_of_vectors_that_exist() {
    let vectors = vectors();
    let mut seen = BTreeSet::new();
    for (name, why) in NOT_PLAYED.iter().chain(OVER_THE_SOCKET) {
        assert!(vectors.contains_key(*name), "{name} is no vector");
        assert!(!why.is_empty() && seen.insert(name), "{name}");
    }
    let lower = vectors.values().filter(|vector| vector.setup.realm.domain.contains(char::is_lowercase));
    assert!(
        lower.clone().count() > 0 && lower.clone().all(|vector| vector.setup.realm.domain == "Domain"),
        "{PUBLISHED}"
    );
}

#[test]
fn a_list_that_leaves_no_mechanism() {
    for (name, _) in NOT_PLAYED {
        let vector = &vectors()[*name];
        let library = Library::with_config(&harness::library(), &player::config(&vector.setup));
        let mut credential = SecHandle::INVALID;
        let status = library.acquire(player::package(&vector.setup), INBOUND, 0, &mut credential);
        assert_eq!(status, 0x8009_030E, "SEC_E_NO_CREDENTIALS");
        assert_eq!(credential, SecHandle::INVALID);
    }
}
