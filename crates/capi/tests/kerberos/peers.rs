//! MIT's library on the other side.

use crate::compile::{Program, compile, root, run};
use crate::realm::{Realm, SERVICE};
use portcullis_testkit::kdc::{Client, Enctype, MitRealm};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// ASC_REQ_… and ISC_REQ_…: both directions signed and sealed, and errors told.
const ACCEPTS: &str = "2881C";
const INITIATES: &str = "1081E";
const DCE: u32 = 0x200;

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
            let flags = format!("{:X}", u32::from_str_radix(ACCEPTS, 16).unwrap() | if dce { DCE } else { 0 });
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
            let expected = 0x2001E | if dce { DCE } else { 0 };
            assert_eq!(granted & (0x2001E | DCE), expected, "{line}");
        }
    }
}

/// Without an answer of ours the messages are under keys of the ticket's kind; RC4's have a byte of padding.
#[test]
fn python_seals_by_keys_of_each_kind() {
    let realm = Realm::shared();
    let files = realm.files();
    let config = files.path().join("portcullis.toml");
    std::fs::write(&config, "[kerberos]\ndanger_accept_rc4 = true\n").unwrap();
    let program = peer();
    for enctype in Enctype::ALL {
        let mut command = program.command();
        command.args(["serve", "Kerberos", ACCEPTS]).env("PORTCULLIS_CONFIG", &config);
        let mut server = Running::start(command.env("KRB5_KTNAME", files.path().join("http.keytab")));
        let alice = realm.realm.client_with(&[enctype]);
        alice.log_on(MitRealm::ALICE, MitRealm::PASSWORD).unwrap();
        let mut client = python("kerberos_seal.py", &alice);
        let flags = FLAGS.replace("MUTUAL_AUTH,", "");
        if enctype == Enctype::Rc4 {
            // MIT makes none of its in parts without one of padding.
            client.env("PEER_KINDS", "signed,sealed,wrapped");
        }
        client.args(["127.0.0.1", &server.port]).envs([("PEER_MECHANISM", "krb5"), ("PEER_FLAGS", &flags)]);
        let out = said(&mut client);
        assert!(out.starts_with("established\n") && out.ends_with("done\n"), "{enctype:?}: {out}");
        assert!(server.line().ends_with(" alice@MIT.EXAMPLE"));
    }
}

/// MIT's clients say that they are bound where they are, and nothing else.
#[test]
fn python_is_bound_to_a_channel() {
    let realm = Realm::shared();
    let files = realm.files();
    let program = peer();
    let alice = realm.logged_on(MitRealm::ALICE);
    let one = "tls-server-end-point:0123456789abcdef0123456789abcdef";
    // ASC_REQ_ALLOW_MISSING_BINDINGS.
    let allows = "1002881C";
    for (package, mechanism) in [("Kerberos", "krb5"), ("Negotiate", "spnego")] {
        for (flags, channel, expected, cause) in [
            (ACCEPTS, Some(one), "established", None),
            (ACCEPTS, Some("tls-server-end-point:elsewhere"), "refused", Some("kerberos/bindings-wrong")),
            (allows, Some("tls-server-end-point:elsewhere"), "refused", Some("kerberos/bindings-wrong")),
            (ACCEPTS, None, "refused", Some("kerberos/bindings-missing")),
            (allows, None, "established", None),
        ] {
            let mut server = serving(&program, package, flags, &files.path().join("http.keytab"), Some(one));
            let mut client = python("kerberos_seal.py", &alice);
            client = {
                let mut bound = Command::new(client.get_program());
                bound.arg(root().join("tests/kerberos/bound.py")).arg(&server.port);
                bound.envs(client.get_envs().filter_map(|(name, value)| Some((name, value?))));
                bound
            };
            client.envs([("PEER_MECHANISM", mechanism), ("PEER_FLAGS", "CONFIDENTIALITY,INTEGRITY")]);
            client.envs(channel.map(|channel| ("PEER_CHANNEL", channel)));
            let out = said(&mut client);
            let line = server.line();
            assert!(out.starts_with(expected), "{package} {channel:?}: {out} {line}");
            match cause {
                Some(cause) => assert_eq!(line, format!("refused 80090346 {cause}"), "{package} {channel:?}"),
                None => assert!(line.starts_with("client "), "{line}"),
            }
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
    for (package, flags, name) in [
        ("Kerberos", INITIATES, "alice"),
        ("Negotiate", INITIATES, "alice"),
        ("Kerberos", "10A1E", "alice"), // in DCE style
        ("Kerberos", INITIATES, "aes128"),
        // Without an answer of the server's, under keys of the ticket's kind.
        ("Kerberos", "1081C", "alice"),
        ("Kerberos", "1081C", "aes128"),
        ("Kerberos", "1081C", "sha384"),
        ("Kerberos", "1081C", "camellia"),
        ("Kerberos", "1081C", "rc4"),
    ] {
        let dce = flags == "10A1E";
        let mut command = python("kerberos_acceptor.py", &nobody);
        command.env("PEER_SERVE", "tcp").env("KRB5_KTNAME", files.path().join("http.keytab"));
        let server = Running::start(&mut command);
        let mut client = program.command();
        // Tokens of DCE style are none of gss_wrap's.
        let (kinds, done) = match name {
            _ if dce => ("SM", "S 9\nM 9\ndone\n"),
            // MIT takes none of RC4's in parts without one of padding.
            "rc4" => ("SEP", "S 9\nE 9\nP 9\ndone\n"),
            _ => ("SEPM", "S 9\nE 9\nP 9\nM 9\ndone\n"),
        };
        client.args(["connect", package, flags, &server.port, SERVICE, kinds]);
        client.env("KRB5CCNAME", format!("FILE:{}", files.path().join(name).display()));
        let out = said(&mut client);
        assert!(out.starts_with("established ") && out.ends_with(done), "{package} {name} {flags}: {out}");
    }
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
    client.args(["connect", "Kerberos", INITIATES, &server.port, SERVICE, "S"]);
    client.env("KRB5CCNAME", files.path().join("alice"));
    let out = said(&mut client);
    assert!(out.starts_with("refused 8009030C"), "{out}");
}

/// The sample of a web server, as any browser would come to it.
#[test]
fn curl_logs_on_to_our_web_server() {
    let realm = Realm::shared();
    let files = realm.files();
    let program = compile("gcc", &["sample_http_server.c"], &["-O1"]);
    let alice = realm.logged_on(MitRealm::ALICE);
    let serve = |keytab: &str| {
        let mut command = program.command();
        Running::start(command.arg("0").arg(files.path().join(keytab)))
    };
    let curl = |port: &str| {
        let mut command = Command::new("curl");
        let (host, address) = ("web1.corp.example", format!("web1.corp.example:{port}:127.0.0.1"));
        command.args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "60", "--resolve", &address]);
        command.args(["--negotiate", "--user", ":", "--write-out", " %{http_code}"]);
        // Both on one connection: each logs on by a token of its own.
        command.args([format!("http://{host}:{port}/one"), format!("http://{host}:{port}/two")]);
        command.envs(alice.environment());
        command
    };
    let mut server = serve("http.keytab");
    let out = said(&mut curl(&server.port));
    assert_eq!(out, "alice@MIT.EXAMPLE 200alice@MIT.EXAMPLE 200");
    for _ in 0..2 {
        assert_eq!(server.line(), "client Kerberos alice@MIT.EXAMPLE");
    }
    let mut server = serve("wrong.keytab");
    let out = said(&mut curl(&server.port));
    assert!(out.contains("401") && !out.contains("200"), "{out}");
    assert_eq!(server.line(), "refused 8009030C kerberos/ticket-not-decryptable");
}
