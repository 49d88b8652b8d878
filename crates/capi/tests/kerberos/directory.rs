//! A domain of Active Directory by Samba: its tickets have a PAC that names the account and its groups.

use crate::compile::{Program, compile, success};
use portcullis_testkit::kdc::{Client, SambaDomain};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const SERVICE: &str = "HTTP/localhost";

fn program() -> Program {
    compile("gcc", &["kerberos_account.c", "talk.c", "check.c"], &["-O1"])
}

fn said(
    program: &Program,
    package: &str,
    client: &Client,
    service: &str,
    keytab: &Path,
    settings: &str,
) -> Vec<String> {
    let mut command = program.command();
    command.args([package, service]).envs(client.environment()).env("KRB5_KTNAME", keytab);
    if !settings.is_empty() {
        let config = program.folder().join("portcullis.toml");
        fs::write(&config, settings).unwrap();
        command.env("PORTCULLIS_CONFIG", config);
    }
    let said = success(&mut command);
    assert!(said.ends_with(" 0 failed\n"), "{said}");
    said.lines().map(str::to_owned).collect()
}

fn all(lines: &[String], name: &str) -> BTreeSet<String> {
    let of_it = lines.iter().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    of_it.map(str::to_owned).collect()
}

fn one(lines: &[String], name: &str) -> String {
    all(lines, name).into_iter().next().unwrap_or_else(|| panic!("{name}: {lines:?}"))
}

#[test]
fn who_a_ticket_is_of() {
    let domain = SambaDomain::start();
    let keytab = domain.keytab("svc-web");
    let program = program();
    for (package, user) in [
        ("Kerberos", "nested"),
        ("Negotiate", "nested"),
        ("Kerberos", "plain"),
        ("Kerberos", "crowded"),
        ("Kerberos", "jürgen"),
        ("Kerberos", "WS1$"),
    ] {
        let client = domain.client();
        client.log_on(user, SambaDomain::PASSWORD).unwrap();
        client.ticket(SERVICE).unwrap();
        let lines = said(&program, package, &client, SERVICE, &keytab, "");
        assert_eq!(one(&lines, "name"), format!("AD\\{user}"));
        assert_eq!(one(&lines, "client"), format!("{user}@AD.EXAMPLE"));
        assert_eq!(one(&lines, "server"), format!("{SERVICE}@AD.EXAMPLE"));
        assert_eq!((one(&lines, "authority").as_str(), one(&lines, "target").as_str()), ("AD", SERVICE));
        // RPC_C_AUTHZ_DCE, and a PAC of at least six buffers.
        let dce = one(&lines, "dce");
        let (service, buffers) = dce.split_once(' ').unwrap();
        assert!(service == "2" && buffers.parse::<u32>().unwrap() >= 6, "{dce}");
        assert_eq!(one(&lines, "logoff"), "never");
        assert_eq!(one(&lines, "level"), "2");
        let directory = domain.token_groups(user);
        let of_domain =
            |sids: &BTreeSet<String>| sids.iter().filter(|sid| sid.starts_with("S-1-5-21-")).cloned().collect();
        let mut told = all(&lines, "group");
        told.extend(all(&lines, "user"));
        let (told, there): (BTreeSet<String>, BTreeSet<String>) = (of_domain(&told), of_domain(&directory));
        assert_eq!(told, there, "{user}");
        assert!(all(&lines, "group").contains("S-1-5-11"), "Authenticated Users");
    }
}

#[test]
fn a_pac_that_must_be_there() {
    let domain = SambaDomain::start();
    let keytab = domain.keytab("svc-web");
    let program = program();
    let client = domain.client();
    client.log_on("plain", SambaDomain::PASSWORD).unwrap();
    client.ticket(SERVICE).unwrap();
    let lines = said(&program, "Kerberos", &client, SERVICE, &keytab, "[kerberos]\npac = \"require\"\n");
    assert_eq!(one(&lines, "name"), "AD\\plain");
}

#[test]
fn rc4_is_refused_unless_it_is_allowed() {
    let domain = SambaDomain::start();
    let keytab = domain.keytab("svc-rc4");
    let program = program();
    let service = "HTTP/rc4.ad.example";
    let client = domain.client();
    client.log_on("plain", SambaDomain::PASSWORD).unwrap();
    client.ticket(service).unwrap();
    let lines = said(&program, "Kerberos", &client, service, &keytab, "");
    assert_eq!(one(&lines, "refused"), "8009030C kerberos/rc4-refused");
    let lines = said(&program, "Kerberos", &client, service, &keytab, "[kerberos]\ndanger_accept_rc4 = true\n");
    assert_eq!(one(&lines, "name"), "AD\\plain");
}
