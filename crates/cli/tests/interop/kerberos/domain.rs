//! Users of Active Directory, by Samba: who they are, and in which groups, stands in the ticket's PAC.

use crate::harness::Server;
use crate::kerberos::clients::{self, Ask, Way};
use crate::kerberos::services::{Target, serve};
use crate::peers::Outcome;
use portcullis_testkit::kdc::{Client, SambaDomain};
use serde_json::Value;
use std::collections::BTreeSet;

fn user(domain: &SambaDomain, name: &str) -> Client {
    let client = domain.client();
    client.log_on(name, SambaDomain::PASSWORD).unwrap();
    client
}

/// All SIDs of the domain that an answer shows: the user's and those of the groups.
fn sids(body: &Value) -> BTreeSet<String> {
    let groups = body["groups"].as_array().unwrap_or_else(|| panic!("{body}"));
    let all = groups.iter().map(|group| &group["sid"]).chain([&body["sid"]]);
    all.map(|sid| sid.as_str().unwrap_or_else(|| panic!("{body}")).to_owned()).collect()
}

/// What others than the domain give, the machine may add to: BUILTIN, NT AUTHORITY.
fn of_domain(sids: &BTreeSet<String>) -> BTreeSet<String> {
    sids.iter().filter(|sid| sid.starts_with("S-1-5-21-")).cloned().collect()
}

fn expect_as_samba_says(outcome: &Outcome, domain: &SambaDomain, name: &str) {
    assert_eq!(outcome.statuses(), [200], "{outcome:?}");
    let body = &outcome.answers[0].body;
    assert_eq!(body["name"], name, "{outcome:?}");
    assert_eq!(body["domain"], SambaDomain::DOMAIN, "{outcome:?}");
    assert_eq!(body["mechanism"], "Kerberos", "{outcome:?}");
    let (ours, theirs) = (sids(body), domain.token_groups(name));
    assert_eq!(of_domain(&ours), of_domain(&theirs), "{name}: {outcome:?}");
    let own = theirs.iter().find(|sid| **sid == body["sid"].as_str().unwrap_or_default());
    assert!(own.is_some(), "{name}: {outcome:?}");
    // Authentication authority asserted identity: the KDC saw the client's own proof.
    assert!(ours.contains("S-1-18-1"), "{name}: {outcome:?}");
}

#[test]
fn users_have_the_sids_that_their_domain_says() {
    let domain = SambaDomain::start();
    let server = serve(&domain.keytab("svc-web"), "");
    for name in ["nested", "plain", "crowded", "jürgen", "WS1$"] {
        let client = user(&domain, name);
        let outcome = clients::gssapi(&Target::of(&server), &client, &Way::default());
        expect_as_samba_says(&outcome, &domain, name);
        let upn = outcome.answers[0].body["upn"].as_str().unwrap_or_default().to_lowercase();
        assert_eq!(upn, format!("{}@ad.example", name.to_lowercase()), "{outcome:?}");
    }
    assert!(server.causes().iter().all(|cause| cause == "ok"), "{:?}", server.causes());
}

#[test]
fn every_client_brings_its_pac() {
    let domain = SambaDomain::start();
    let server = serve(&domain.keytab("svc-web"), "[kerberos]\npac = \"require\"\n");
    let client = user(&domain, "nested");
    for ask in
        [clients::gssapi as Ask, clients::heimdal, clients::pyspnego, clients::curl, clients::java, clients::node]
    {
        expect_as_samba_says(&ask(&Target::of(&server), &client, &Way::default()), &domain, "nested");
    }
}

/// The keys that one account has are those of all its services.
#[test]
fn keys_under_the_accounts_name_serve_its_services() {
    let domain = SambaDomain::start();
    let client = user(&domain, "plain");
    let folder = tempfile::tempdir().unwrap();
    let keytab = folder.path().join("account.keytab");
    domain.administer(&["domain", "exportkeytab", keytab.to_str().unwrap(), "--principal=svc-web"]);
    let server = serve(&keytab, "");
    expect_as_samba_says(&clients::curl(&Target::of(&server), &client, &Way::default()), &domain, "plain");
}

#[test]
fn an_account_with_no_key_but_rc4() {
    let domain = SambaDomain::start();
    let client = user(&domain, "nested");
    let ask = |server: &Server| {
        let mut command = crate::kerberos::services::python("gssapi", "python/kerberos_client.py");
        command.envs(client.environment()).env("PEER_TARGET", "HTTP@rc4.ad.example");
        command.env("PEER_FLAGS", "MUTUAL_AUTH").env("PEER_URL", Target::of(server).url);
        Outcome::of(crate::peers::run(command))
    };
    let server = serve(&domain.keytab("svc-rc4"), "");
    ask(&server).expect_refused();
    server.expect_last_cause("kerberos/rc4-refused");
    let server = serve(&domain.keytab("svc-rc4"), "[kerberos]\ndanger_accept_rc4 = true\n");
    expect_as_samba_says(&ask(&server), &domain, "nested");
}

/// A service acts as a user (constrained delegation with protocol transition): it is the user who is let in, with the
/// user's groups; that a service vouched for the user, and not the user's own proof, is S-1-18-2.
#[test]
fn a_service_that_acts_as_a_user() {
    let domain = SambaDomain::start();
    let (own, service) = (domain.keytab("svc-deleg"), domain.client());
    service.log_on_by_keytab("svc-deleg", &own).unwrap();
    let server = serve(&domain.keytab("svc-web"), "");
    let mut command = crate::kerberos::services::python("gssapi", "python/kerberos_proxied.py");
    command.envs(service.environment()).env("PEER_URL", Target::of(&server).url).env("PEER_USER", "nested");
    command.env("PEER_REALM", SambaDomain::REALM).env("KRB5_KTNAME", &own).env("KRB5_CLIENT_KTNAME", &own);
    let outcome = Outcome::of(crate::peers::run(command));
    assert_eq!(outcome.statuses(), [200], "{outcome:?}");
    let body = &outcome.answers[0].body;
    assert_eq!((&body["name"], &body["domain"]), (&"nested".into(), &SambaDomain::DOMAIN.into()), "{outcome:?}");
    assert_eq!(of_domain(&sids(body)), of_domain(&domain.token_groups("nested")), "{outcome:?}");
    assert!(sids(body).contains("S-1-18-2") && !sids(body).contains("S-1-18-1"), "{outcome:?}");
}
