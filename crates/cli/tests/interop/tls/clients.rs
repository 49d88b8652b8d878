//! Clients that ask once and are done.

use crate::harness::{Server, root};
use crate::peers::{self, Logon};
use crate::tls::certificates;
use crate::tls::names::PACKAGE;
use crate::tls::program::Program;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What curl got.
#[derive(Debug)]
pub struct Fetched {
    /// Zero where there was no answer.
    pub status: u16,
    /// Of HTTP: `1.1` or `2`.
    pub version: String,
    /// How many connections it took.
    pub connections: u32,
    pub body: Value,
    pub output: Output,
}

impl Fetched {
    /// The TLS handshake, or what comes right behind it, was refused: there is no answer.
    pub fn expect_no_answer(&self) {
        assert_eq!(self.status, 0, "{self:?}");
        // 35, 58, 60, 98: the handshake failed, by an alert that may name a certificate; the others: TLS 1.3 tells a client only
        // after it has finished.
        assert!(matches!(self.output.status.code(), Some(16 | 18 | 35 | 52 | 55 | 56 | 58 | 60 | 92 | 98)), "{self:?}");
    }

    pub fn expect(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
    }

    /// Its certificate says who the client is.
    pub fn expect_account(&self, name: &str) {
        self.expect(200);
        assert_eq!(self.body["name"], name, "{self:?}");
        assert_eq!(self.body["package"], PACKAGE, "{self:?}");
        assert!(self.body["client_certificate"].is_object(), "{self:?}");
    }
}

/// What the client says of itself on the command line.
pub fn with_certificate(name: &str) -> [String; 4] {
    let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
    ["--cert".into(), certificates::argument(&certificate), "--key".into(), certificates::argument(&key)]
}

/// `curl https://…/`, which trusts the tests' roots.
pub fn curl<S: AsRef<str>>(server: &Server, arguments: &[S]) -> Fetched {
    curl_at(server.https(), "/", arguments)
}

pub fn curl_at<S: AsRef<str>>(address: SocketAddr, path: &str, arguments: &[S]) -> Fetched {
    curl_with(Command::new("curl"), address, path, arguments)
}

pub fn curl_with<S: AsRef<str>>(mut command: Command, address: SocketAddr, path: &str, arguments: &[S]) -> Fetched {
    command.args(["-sS", "--noproxy", "*", "-H", "Accept: application/json", "--max-time", "60"]);
    command.args(["--cacert", &certificates::argument("roots.pem")]);
    command.args(["-w", "\n%{http_code} %{http_version} %{num_connects}\n"]);
    command.args(arguments.iter().map(AsRef::as_ref)).arg(format!("https://{address}{path}"));
    let output = peers::run(command);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, told) = text.trim_end().rsplit_once('\n').unwrap_or(("", text.trim_end()));
    let mut told = told.split(' ');
    let status = told.next().and_then(|status| status.parse().ok());
    Fetched {
        status: status.unwrap_or_else(|| panic!("{output:?}")),
        version: told.next().unwrap_or_default().to_owned(),
        connections: told.next().and_then(|count| count.parse().ok()).unwrap_or_default(),
        body: peers::json(body),
        output,
    }
}

/// curl, with a client certificate of the shared folder.
pub fn curl_as(server: &Server, certificate: &str) -> Fetched {
    curl(server, &with_certificate(certificate))
}

/// openssl's client. It says `Q` to end it, and `K` and `k` for a key update, each as a line of its own.
pub fn s_client<S: AsRef<str>>(address: SocketAddr, arguments: &[S]) -> Program {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &address.to_string(), "-CAfile", &certificates::argument("roots.pem")]);
    command.args(["-verify_return_error"]).args(arguments.iter().map(AsRef::as_ref));
    Program::start(command)
}

pub fn gnutls_cli<S: AsRef<str>>(address: SocketAddr, arguments: &[S]) -> Program {
    let mut command = Command::new("gnutls-cli");
    command.args(["--x509cafile", &certificates::argument("roots.pem"), "--port", &address.port().to_string()]);
    // Its own names for the protocols: none unless it is asked for.
    command.args(arguments.iter().map(AsRef::as_ref)).arg(address.ip().to_string());
    Program::start(command)
}

/// A script of `interop/` that is told by its environment and prints lines.
pub fn script(program: &Path, arguments: &[&str], address: SocketAddr, environment: &[(&str, &str)]) -> String {
    let output = peers::run(scripted(program, arguments, address, environment));
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn scripted(program: &Path, arguments: &[&str], address: SocketAddr, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root().join("interop")).args(arguments);
    command.env("PEER_URL", format!("https://{address}/")).env("PEER_CA", certificates::file("roots.pem"));
    command.envs([("PYTHONWARNINGS", "ignore"), ("LC_ALL", "C.UTF-8")]).envs(environment.iter().copied());
    command
}

/// Python's ssl module.
pub fn python(address: SocketAddr, environment: &[(&str, &str)]) -> String {
    script(&peers::venv(), &["python/tls_socket.py"], address, environment)
}

/// Java's SSLSocket.
pub fn java(address: SocketAddr, environment: &[(&str, &str)]) -> String {
    script(Path::new("java"), &["java/TlsSocket.java"], address, environment)
}

/// What a client that logs on over HTTPS was answered.
#[derive(Debug)]
pub struct Bound {
    pub status: u16,
    pub body: Value,
    pub output: Output,
}

impl Bound {
    pub fn expect_user(&self, name: &str, bindings: &str) {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!((&self.body["name"], &self.body["mechanism"]), (&name.into(), &"NTLM".into()), "{self:?}");
        assert_eq!(self.body["channel_bindings"], bindings, "{self:?}");
    }

    pub fn expect_refused(&self, server: &Server, cause: &str) {
        assert_eq!(self.status, 401, "{self:?}");
        assert!(!format!("{:?}", self.output).contains(cause), "the client learns the cause: {self:?}");
        server.expect_last_cause(cause);
    }
}

/// A client of NTLM or Negotiate that can say what bindings it sends: `library` is `pyspnego`, `requests_ntlm`, `impacket` or
/// `gssapi`; `bindings` is `right`, `wrong`, `absent`, `zero`, or the file of another certificate.
pub fn bound(
    address: SocketAddr,
    library: &str,
    scheme: &str,
    bindings: &str,
    logon: &Logon<'_>,
    environment: &[(&str, &str)],
) -> Bound {
    let users = peers::gss_users(logon);
    let python = if library == "gssapi" { PathBuf::from("/usr/bin/python3") } else { peers::venv() };
    let told = [
        ("PEER_LIBRARY", library),
        ("PEER_SCHEME", scheme),
        ("PEER_BINDINGS", bindings),
        ("PEER_USER", logon.user),
        ("PEER_DOMAIN", logon.domain),
        ("PEER_PASSWORD", logon.password),
    ];
    let told = [&told[..], environment].concat();
    let mut command = scripted(&python, &["python/https_client.py"], address, &told);
    command.envs(peers::gss_ntlmssp(users.path()));
    let output = peers::run(command);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (status, body) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let status = status.parse().unwrap_or_else(|_| panic!("{output:?}"));
    Bound { status, body: peers::json(body), output }
}
