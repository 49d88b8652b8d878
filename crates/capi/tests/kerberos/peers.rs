//! MIT's library on the other side.

use crate::compile::{Program, compile, root, run};
use crate::realm::{Realm, SERVICE};
use portcullis_testkit::kdc::{Client, MitRealm};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// ASC_REQ_… and ISC_REQ_…: both directions signed and sealed, and errors told.
const ACCEPTS: &str = "2881C";
const INITIATES: &str = "1081E";
const DCE: &str = "200";

/// The same by GSS-API's flags.
const FLAGS: &str = "MUTUAL_AUTH,REPLAY_DETECT,SEQUENCE_DETECT,CONFIDENTIALITY,INTEGRITY";

/// A program that runs until it is dropped.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
    port: String,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut this = Self { child, lines, port: String::new() };
        let line = this.line();
        this.port = line.strip_prefix("listening ").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        this
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn peer() -> Program {
    compile("gcc", &["kerberos_peer.c"], &["-O1"])
}

/// Our service, with this keytab.
fn serving(program: &Program, package: &str, flags: &str, keytab: &Path, channel: Option<&str>) -> Running {
    let mut command = program.command();
    command.args(["serve", package, flags]).args(channel).env("KRB5_KTNAME", keytab);
    Running::start(&mut command)
}

/// A program of MIT's library in Python. Debian's has it.
fn python(script: &str, client: &Client) -> Command {
    let mut command = Command::new("/usr/bin/python3");
    let folder = root().join("../../interop/python");
    command.arg(folder.join(script)).envs(client.environment()).env("PYTHONPATH", folder);
    command.env("PEER_TARGET", "HTTP@web1.corp.example");
    command
}

fn said(command: &mut Command) -> String {
    let output = run(command);
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn python_logs_on_to_our_service() {
    let realm = Realm::shared();
    let files = realm.files();
    let program = peer();
    let alice = realm.logged_on(MitRealm::ALICE);
    for (package, mechanism) in [("Kerberos", "krb5"), ("Negotiate", "spnego"), ("Negotiate", "krb5")] {
        for dce in [false, true] {
            // MIT's SPNEGO has no DCE style.
            if dce && mechanism == "spnego" {
                continue;
            }
            let flags = format!("{:X}", u32::from_str_radix(ACCEPTS, 16).unwrap() | if dce { 0x200 } else { 0 });
            let mut server = serving(&program, package, &flags, &files.path().join("http.keytab"), None);
            let mut client = python("kerberos_seal.py", &alice);
            let asked = if dce { format!("{FLAGS},USE_DCE_STYLE") } else { FLAGS.to_owned() };
            client.args(["127.0.0.1", &server.port]).envs([("PEER_MECHANISM", mechanism), ("PEER_FLAGS", &asked)]);
            if dce {
                // Tokens of DCE style are none of gss_wrap's.
                client.env("PEER_KINDS", "signed,in_parts");
            }
            let out = said(&mut client);
            assert!(out.starts_with("established\n") && out.ends_with("done\n"), "{package} {mechanism} {dce}: {out}");
            assert!(out.contains("forged 8009030f"), "{out}");
            let line = server.line();
            assert!(line.starts_with("client ") && line.ends_with(" alice@MIT.EXAMPLE"), "{line}");
            let granted = u32::from_str_radix(line.split(' ').nth(1).unwrap(), 16).unwrap();
            let expected = 0x2001E | if dce { 0x200 } else { 0 };
            assert_eq!(granted & (0x2001E | 0x200), expected, "{line}");
        }
    }
}

#[test]
fn python_is_refused_and_told_why() {
    let realm = Realm::shared();
    let files = realm.files();
    let program = peer();
    for (keytab, status, cause, told) in [
        ("wrong.keytab", "8009030C", "kerberos/ticket-not-decryptable", "Message stream modified"),
        ("old.keytab", "80090348", "kerberos/no-key-version", "Key version is not available"),
        ("aes128.keytab", "80090348", "kerberos/no-key", "Service key not available"),
    ] {
        let alice = realm.logged_on(MitRealm::ALICE);
        let mut server = serving(&program, "Kerberos", ACCEPTS, &files.path().join(keytab), None);
        let mut client = python("kerberos_seal.py", &alice);
        client.args(["127.0.0.1", &server.port]).envs([("PEER_MECHANISM", "krb5"), ("PEER_FLAGS", FLAGS)]);
        let out = said(&mut client);
        assert_eq!(server.line(), format!("refused {status} {cause}"), "{out}");
        assert!(out.contains(told), "{keytab}: {out}");
    }
}

#[test]
fn our_client_logs_on_to_python() {
    let realm = Realm::shared();
    let files = realm.files();
    let program = peer();
    let nobody = realm.realm.client();
    for (package, dce, name) in [
        ("Kerberos", false, "alice"),
        ("Negotiate", false, "alice"),
        ("Kerberos", true, "alice"),
        ("Kerberos", false, "aes128"),
        ("Kerberos", false, "sha384"),
        ("Kerberos", false, "camellia"),
    ] {
        let mut command = python("kerberos_acceptor.py", &nobody);
        command.env("PEER_SERVE", "tcp").env("KRB5_KTNAME", files.path().join("http.keytab"));
        let server = Running::start(&mut command);
        let flags = format!("{:X}", u32::from_str_radix(INITIATES, 16).unwrap() | if dce { 0x200 } else { 0 });
        let mut client = program.command();
        client.args(["connect", package, &flags, &server.port, SERVICE]);
        client.env("KRB5CCNAME", format!("FILE:{}", files.path().join(name).display()));
        let out = said(&mut client);
        assert!(
            out.starts_with("established ") && out.ends_with("S 9\nE 9\nP 9\nM 9\ndone\n"),
            "{package} {name} {dce}: {out}"
        );
    }
    let _ = DCE;
}

#[test]
fn our_client_is_refused_by_python() {
    let realm = Realm::shared();
    let files = realm.files();
    let program = peer();
    let mut command = python("kerberos_acceptor.py", &realm.realm.client());
    command.env("PEER_SERVE", "tcp").env("KRB5_KTNAME", files.path().join("wrong.keytab"));
    let server = Running::start(&mut command);
    let mut client = program.command();
    client.args(["connect", "Kerberos", INITIATES, &server.port, SERVICE]);
    client.env("KRB5CCNAME", files.path().join("alice"));
    let out = said(&mut client);
    assert!(out.starts_with("refused 8009030C"), "{out}");
}
