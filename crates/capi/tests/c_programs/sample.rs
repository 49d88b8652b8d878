//! The documentation's server and its client, over sockets and with a store; and pyspnego in the place of either.

use crate::compile::{COMPILERS, Program, compile, root, run};
use crate::store::{ANN, EVE, Store};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

const TARGET: &str = "HTTP/web1.corp.example";

/// A server that runs until it is dropped.
pub struct Server {
    child: Child,
    lines: BufReader<ChildStdout>,
    pub port: u16,
}

impl Server {
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut server = Self { child, lines, port: 0 };
        let line = server.line();
        server.port = line.strip_prefix("listening ").unwrap_or_else(|| panic!("{line:?}")).parse().unwrap();
        server
    }

    /// The next line that it prints.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn server(program: &Program, package: &str, source: &str) -> Server {
    Server::start(program.command().args(["0", package, source]))
}

/// What the client prints and ends with.
fn client(
    program: &Program,
    port: u16,
    package: &str,
    (user, domain, password): (&str, &str, &str),
    kind: &str,
) -> (String, i32) {
    let output = run(program.command().args([&port.to_string(), package, TARGET, user, domain, password, kind]));
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

const GREETED: &str = "established\nThis is your server speaking\n";

#[test]
fn who_is_let_in_and_who_is_not() {
    let store = Store::new();
    for (compiler, package) in COMPILERS.into_iter().flat_map(|compiler| [(compiler, "NTLM"), (compiler, "Negotiate")])
    {
        let (of_server, of_client) =
            (compile(compiler, &["sample_server.c"], &[]), compile(compiler, &["sample_client.c"], &[]));
        let mut server = server(&of_server, package, &store.source());
        let before = store.audit().len();
        for kind in ["A", "W"] {
            for domain in ["", "CORP", "corp.example"] {
                let said = client(&of_client, server.port, package, (ANN.0, domain, ANN.1), kind);
                assert_eq!(said, (GREETED.to_owned(), 0), "{package} {kind} {domain}");
                assert_eq!(server.line(), "impersonate 8009030B");
                assert_eq!(server.line(), "client CORP\\ann");
            }
            for (user, domain, password, status, cause) in [
                (ANN.0, "CORP", "wrong", "8009030C", "account/wrong-proof"),
                ("nobody", "CORP", ANN.1, "8009030C", "account/unknown-account"),
                (EVE.0, "CORP", EVE.1, "8009030C", "account/must-change"),
                (ANN.0, "ELSEWHERE", ANN.1, "80090311", "account/unknown-domain"),
                ("", "", "", "8009030C", "ntlm/anonymous-refused"),
            ] {
                let (said, code) = client(&of_client, server.port, package, (user, domain, password), kind);
                assert!(said.starts_with("refused ") && code == 1, "{package} {kind} {user}: {said}");
                assert_eq!(server.line(), format!("refused {status} {cause}"), "{package} {kind}");
            }
        }
        let lines = store.audit().split_off(before);
        let causes: Vec<_> = lines.iter().map(|line| line["cause"].as_str().unwrap()).collect();
        let of_a_kind = [
            "ok",
            "ok",
            "ok",
            "account/wrong-proof",
            "account/unknown-account",
            "account/must-change",
            "account/unknown-domain",
            "ntlm/anonymous-refused",
        ];
        assert_eq!(causes, [of_a_kind, of_a_kind].concat());
        for line in &lines {
            assert_eq!(line["package"], package, "{line}");
            let peer: std::net::SocketAddr = line["peer"].as_str().unwrap().parse().unwrap();
            assert!(peer.ip().is_loopback() && peer.port() != 0, "{line}");
        }
    }
}

/// The server's process has neither hashes nor keys then.
#[test]
fn accounts_of_another_process() {
    let served = Store::new().serve();
    let (of_server, of_client) = (compile("gcc", &["sample_server.c"], &[]), compile("gcc", &["sample_client.c"], &[]));
    for package in ["NTLM", "Negotiate"] {
        let mut server = server(&of_server, package, &served.source());
        let said = client(&of_client, server.port, package, (ANN.0, "CORP", ANN.1), "A");
        assert_eq!(said, (GREETED.to_owned(), 0), "{package}");
        assert_eq!(server.line(), "impersonate 8009030B");
        assert_eq!(server.line(), "client CORP\\ann");
        let (said, code) = client(&of_client, server.port, package, (ANN.0, "CORP", "wrong"), "W");
        assert!(said.starts_with("refused ") && code == 1, "{package}: {said}");
        assert_eq!(server.line(), "refused 8009030C account/wrong-proof", "{package}");
    }
    let lines = served.store.audit();
    let causes: Vec<_> = lines.iter().map(|line| line["cause"].as_str().unwrap()).collect();
    assert_eq!(causes, ["ok", "account/wrong-proof", "ok", "account/wrong-proof"]);
    assert!(lines.iter().all(|line| line["peer"].as_str().unwrap().starts_with("127.0.0.1:")), "{lines:?}");
}

fn pyspnego(mode: &[&str], package: &str, (user, domain, password): (&str, &str, &str)) -> Command {
    let project = root().parent().unwrap().parent().unwrap();
    let mut command = Command::new(project.join("target/interop/venv/bin/python"));
    command.arg(project.join("interop/python/sample_peer.py")).args(mode);
    command.envs([
        ("PEER_PACKAGE", package),
        ("PEER_USER", user),
        ("PEER_DOMAIN", domain),
        ("PEER_PASSWORD", password),
    ]);
    command
}

/// pyspnego speaks SPNEGO for Negotiate, and signs its list of mechanisms.
#[test]
fn pyspnego_logs_on_to_our_server() {
    let store = Store::new();
    let program = compile("gcc", &["sample_server.c"], &[]);
    for package in ["NTLM", "Negotiate"] {
        let mut server = server(&program, package, &store.source());
        let port = server.port.to_string();
        let output = run(&mut pyspnego(&["client", &port], package, (ANN.0, "CORP", ANN.1)));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), GREETED, "{package}");
        assert_eq!(server.line(), "impersonate 8009030B");
        assert_eq!(server.line(), "client CORP\\ann");
        let output = run(&mut pyspnego(&["client", &port], package, (ANN.0, "CORP", "wrong")));
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.starts_with("refused ") && !output.status.success(), "{said}");
        assert_eq!(server.line(), "refused 8009030C account/wrong-proof");
    }
}

#[test]
fn our_client_logs_on_to_pyspnego() {
    let program = compile("gcc", &["sample_client.c"], &[]);
    for (package, kind) in [("NTLM", "A"), ("NTLM", "W"), ("Negotiate", "A"), ("Negotiate", "W")] {
        let account = ("User", "DOMAIN", "Passw\u{f6}rd 7");
        let mut server = Server::start(&mut pyspnego(&["server"], package, account));
        let said = client(&program, server.port, package, account, kind);
        assert_eq!(said, ("established\nThis is pyspnego speaking\n".to_owned(), 0), "{package} {kind}");
        assert_eq!(server.line(), "client DOMAIN\\User");
        let mut server = Server::start(&mut pyspnego(&["server"], package, account));
        let (said, code) = client(&program, server.port, package, ("User", "DOMAIN", "wrong"), kind);
        assert!(said.starts_with("refused ") && code == 1, "{said}");
        assert!(server.line().starts_with("refused "), "{package} {kind}");
    }
}
