//! The vectors of Kerberos, each in a process of its own: all credentials of a process share what was seen, and one vector's
//! token would be another's replay.

use crate::accounts::Accounts;
use crate::sspi::Library;
use crate::{foretold, harness, player};
use library::kerberos::{KdcSignature, PacPolicy, ServiceNames, Transited};
use portcullis_testkit::vector::{KerberosSetup, Vector};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

/// Those whose keys another process holds, and why.
const OVER_THE_SOCKET: &[(&str, &str)] = &[
    ("kerberos/no-keytab", "a keytab without keys is refused when a credential is acquired"),
    ("kerberos/service-not-ours", "so is one without a key of the services"),
    ("kerberos/pac-forged", "only another process may know a KDC that can be asked"),
];

/// Those whose host does not let refusals tell the client anything, as the others' do, and why.
const WITHOUT_ERRORS: &[(&str, &str)] = &[
    ("kerberos/clock-fast", CORRECTED),
    ("kerberos/clock-slow", CORRECTED),
    ("kerberos/expired-no-mutual", "who wants no answer would be told nevertheless"),
];
const CORRECTED: &str = "a client that is told what time it is here may try once more";

/// What a process of one vector is told.
const VECTOR: &str = "PORTCULLIS_TEST_VECTOR";
const LIBRARY: &str = "PORTCULLIS_TEST_LIBRARY";

/// The vectors with tickets among all.
pub fn all(vectors: &BTreeMap<String, Vector>) -> impl Iterator<Item = (&String, &Vector)> {
    vectors.iter().filter(|(_, vector)| vector.setup.kerberos.is_some())
}

/// The configuration's section, without the keytab.
pub fn section(setup: &KerberosSetup) -> String {
    let config = &setup.config;
    let mut text = "[kerberos]\n".to_owned();
    if let ServiceNames::List(services) = &config.services {
        writeln!(text, "services = {services:?}").unwrap();
    }
    let pac = match config.pac {
        PacPolicy::Ignore => "ignore",
        PacPolicy::VerifyIfPresent => "verify",
        PacPolicy::Require => "require",
    };
    let kdc_signature = match config.kdc_signature {
        KdcSignature::WhenAsked => "when-asked",
        KdcSignature::Require => "require",
    };
    let transited = match config.transited {
        Transited::Trusted => "trusted",
        Transited::Checked => "checked",
    };
    let bindings = player::binding_policy(config.bindings);
    writeln!(text, "pac = {pac:?}\nkdc_signature = {kdc_signature:?}\ntransited = {transited:?}").unwrap();
    writeln!(text, "bindings = {bindings:?}\nskew_seconds = {}", config.skew.as_secs()).unwrap();
    writeln!(text, "check_addresses = {}", config.check_addresses).unwrap();
    writeln!(text, "danger_accept_rc4 = {}", config.danger_accept_rc4).unwrap();
    writeln!(text, "danger_accept_replays = {}", config.danger_accept_replays).unwrap();
    if let Some(most) = setup.remembers {
        writeln!(text, "replay_entries = {most}").unwrap();
    }
    text
}

#[test]
fn every_vector_of_kerberos_ends_in_c_as_it_says() {
    let vectors = crate::vectors();
    let library = harness::library();
    let (mut wrong, mut played) = (Vec::new(), 0);
    for (name, vector) in all(&vectors) {
        let folder = tempfile::tempdir().unwrap();
        let mut alone = Command::new(env::current_exe().unwrap());
        alone.args(["--exact", "tickets::one_by_itself", "--ignored", "--nocapture"]);
        alone.env(VECTOR, name).env(LIBRARY, &library).env_remove("KRB5_KTNAME").env_remove("KRB5CCNAME");
        if let Some(granting) = vector.setup.kerberos.as_ref().and_then(|kerberos| kerberos.granting.as_ref()) {
            let cache = folder.path().join("cache");
            fs::write(&cache, granting).unwrap();
            alone.env("KRB5CCNAME", cache);
        }
        let output = alone.output().unwrap();
        played += 1;
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() || !said.contains("1 passed") {
            wrong.push(format!("{name}: {said}{}", String::from_utf8_lossy(&output.stderr)));
        }
    }
    assert!(wrong.is_empty(), "{} of {played}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(played >= 110, "only {played} vectors were played");
}

#[test]
#[ignore = "`every_vector_of_kerberos_ends_in_c_as_it_says` runs it, in a process for each vector"]
fn one_by_itself() {
    let name = env::var(VECTOR).expect("run `every_vector_of_kerberos_ends_in_c_as_it_says`");
    assert!(foretold::are_found(), "the library would not ask this program for the time and random bytes");
    let vectors = crate::vectors();
    let vector = &vectors[&name];
    let setup = &vector.setup;
    let folder = tempfile::tempdir().unwrap();
    let mut config = player::config(setup);
    let mut accounts = if crate::is_in(OVER_THE_SOCKET, &name) {
        Accounts::socket(setup)
    } else {
        let keytab = folder.path().join("keytab");
        fs::write(&keytab, &setup.kerberos.as_ref().unwrap().keytab).unwrap();
        writeln!(config, "keytab = {keytab:?}").unwrap();
        Accounts::store(&setup.realm, setup.settings.now)
    };
    let library = Library::only_with_config(&PathBuf::from(env::var_os(LIBRARY).unwrap()), &config);
    let errors = !crate::is_in(WITHOUT_ERRORS, &name);
    player::play(vector, &library, &mut accounts, errors).unwrap();
}

#[test]
fn exceptions_with_tickets_are_of_vectors_that_exist() {
    let vectors = crate::vectors();
    for (name, why) in OVER_THE_SOCKET.iter().chain(WITHOUT_ERRORS) {
        assert!(all(&vectors).any(|(found, _)| found == name) && !why.is_empty(), "{name}");
    }
}
