//! The clients: what each is called with and what it answers.

use crate::harness::{Server, root};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// What a client is to do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Logon<'a> {
    pub user: &'a str,
    pub domain: &'a str,
    pub password: &'a str,
    /// How many requests, on one connection where the client keeps one.
    pub times: usize,
    /// Sent by POST, where there is one.
    pub body: Option<&'a str>,
    /// What else its script understands.
    pub besides: &'a [(&'a str, &'a str)],
}

impl<'a> Logon<'a> {
    pub fn new(user: &'a str, password: &'a str) -> Self {
        Self { user, password, times: 1, ..Self::default() }
    }

    fn name(&self) -> String {
        if self.domain.is_empty() { self.user.to_owned() } else { format!("{}\\{}", self.domain, self.user) }
    }
}

/// What the server said in the end.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

/// What a client made of it.
#[derive(Debug)]
pub struct Outcome {
    pub answers: Vec<Answer>,
    pub output: Output,
}

impl Outcome {
    /// What a script printed: a line for each answer, with others between them.
    pub fn of(output: Output) -> Self {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let answers = text
            .lines()
            .filter_map(|line| {
                let (status, body) = line.split_once(' ').unwrap_or((line, ""));
                Some(Answer { status: status.parse().ok()?, body: json(body) })
            })
            .collect();
        Self { answers, output }
    }

    pub fn statuses(&self) -> Vec<u16> {
        self.answers.iter().map(|answer| answer.status).collect()
    }

    /// Every answer says that this user came by NTLM.
    pub fn expect_user(&self, name: &str, times: usize) {
        self.expect_user_by("NTLM", name, times);
    }

    /// Every answer says that this user came by NTLM, in this package.
    pub fn expect_user_by(&self, package: &str, name: &str, times: usize) {
        assert_eq!(self.answers.len(), times, "{self:?}");
        for Answer { status, body } in &self.answers {
            assert_eq!(*status, 200, "{self:?}");
            assert_eq!(body["name"], name, "{self:?}");
            assert_eq!(body["package"], package, "{self:?}");
            assert_eq!(body["mechanism"], "NTLM", "{self:?}");
            assert!(body["domain"].as_str().is_some_and(|domain| !domain.is_empty()), "{self:?}");
            assert!(body["sid"].as_str().is_some_and(|sid| sid.starts_with("S-1-5-21-")), "{self:?}");
        }
    }

    /// The client was answered, and only by 401.
    pub fn expect_refused(&self) {
        assert!(!self.answers.is_empty(), "the client never got an answer: {self:?}");
        assert!(self.answers.iter().all(|answer| answer.status == 401), "{self:?}");
    }
}

/// A program that can log on.
pub type Client = fn(&Server, &Logon<'_>) -> Outcome;

pub fn curl(server: &Server, logon: &Logon<'_>) -> Outcome {
    let mut command = Command::new("curl");
    command.args(["--ntlm", "-u", &format!("{}:{}", logon.name(), logon.password)]);
    with_curl(command, server, logon)
}

/// curl by MIT's SPNEGO around gss-ntlmssp.
pub fn curl_negotiate(server: &Server, logon: &Logon<'_>) -> Outcome {
    let users = gss_users(logon);
    let mut command = Command::new("curl");
    command.args(["--negotiate", "-u", ":"]).envs(gss_ntlmssp(users.path()));
    with_curl(command, server, logon)
}

/// The same with a Kerberos ticket for the service, of a KDC that does not exist: MIT's SPNEGO offers Kerberos first and
/// sends the ticket ahead. An acceptor without Kerberos drops it, takes the second choice, and asks for a signed list.
pub fn curl_negotiate_with_a_ticket(server: &Server, logon: &Logon<'_>) -> Outcome {
    let (users, folder) = (gss_users(logon), tempfile::tempdir().unwrap());
    let (cache, config) = (folder.path().join("ccache"), folder.path().join("krb5.conf"));
    let mut writer = Command::new("python3");
    writer.arg(root().join("interop/python/ccache.py")).arg(&cache).arg("HTTP/localhost");
    let written = run(writer);
    assert!(written.status.success(), "{written:?}");
    let settings = "[libdefaults]\ndefault_realm = NOWHERE.EXAMPLE\ndns_canonicalize_hostname = false\nrdns = false\n\
        [realms]\nNOWHERE.EXAMPLE = { kdc = 127.0.0.1:1 }\n[domain_realm]\nlocalhost = NOWHERE.EXAMPLE\n";
    std::fs::write(&config, settings).unwrap();
    let port = server.http.port();
    let mut command = Command::new("curl");
    command.args(["--negotiate", "-u", ":", "--resolve", &format!("localhost:{port}:127.0.0.1")]);
    let trace = folder.path().join("trace");
    command
        .envs(gss_ntlmssp(users.path()))
        .env("KRB5_CONFIG", config)
        .env("KRB5CCNAME", cache)
        .env("KRB5_TRACE", &trace);
    let outcome = curl_to(command, &format!("http://localhost:{port}/"), logon);
    let trace = std::fs::read_to_string(trace).unwrap_or_default();
    assert!(trace.contains("Creating authenticator"), "curl offered no Kerberos: {trace}\n{outcome:?}");
    outcome
}

fn with_curl(command: Command, server: &Server, logon: &Logon<'_>) -> Outcome {
    curl_to(command, &server.url(), logon)
}

pub fn curl_to(mut command: Command, url: &str, logon: &Logon<'_>) -> Outcome {
    command.args(["-sS", "--noproxy", "*", "-H", "Accept: application/json", "-w", "\n%{http_code}\n"]);
    if let Some(body) = logon.body {
        command.args(["--data-binary", body]);
    }
    command.args(vec![url; logon.times]);
    let output = run(command);
    // The body, then the status, for each URL.
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (mut answers, mut body) = (Vec::new(), String::new());
    for line in text.lines() {
        match line.parse() {
            Ok(status) => answers.push(Answer { status, body: json(&std::mem::take(&mut body)) }),
            Err(_) => body.push_str(line),
        }
    }
    Outcome { answers, output }
}

/// wget knows NTLMv1 only.
pub fn wget(server: &Server, logon: &Logon<'_>) -> Outcome {
    let mut command = Command::new("wget");
    command.args(["--no-proxy", "--no-config", "--tries=1", "-S", "-O", "-", "--header=Accept: application/json"]);
    command.args([format!("--user={}", logon.name()), format!("--password={}", logon.password)]);
    command.arg(server.url());
    let output = run(command);
    // Headers of every leg stand on stderr; the last status counts.
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    let status =
        log.lines().filter_map(|line| line.trim().strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()).next_back();
    let body = json(&String::from_utf8_lossy(&output.stdout));
    Outcome { answers: status.map(|status| Answer { status, body }).into_iter().collect(), output }
}

pub fn requests_ntlm(server: &Server, logon: &Logon<'_>) -> Outcome {
    script(&venv(), &["python/requests_ntlm_client.py"], server, logon)
}

pub fn ntlm_auth(server: &Server, logon: &Logon<'_>) -> Outcome {
    script(&venv(), &["python/ntlm_auth_client.py"], server, logon)
}

pub fn impacket(server: &Server, logon: &Logon<'_>) -> Outcome {
    script(&venv(), &["python/impacket_client.py"], server, logon)
}

/// pyspnego's SPNEGO.
pub fn pyspnego(server: &Server, logon: &Logon<'_>) -> Outcome {
    script(&venv(), &["python/spnego_client.py"], server, &with_scheme(logon, ""))
}

/// pyspnego's SPNEGO without a signed mechanism list.
pub fn pyspnego_unsigned(server: &Server, logon: &Logon<'_>) -> Outcome {
    script(&venv(), &["python/spnego_client.py"], server, &with_scheme(logon, "nomic"))
}

/// pyspnego's SPNEGO, asking for neither signing nor sealing.
pub fn pyspnego_without_flags(server: &Server, logon: &Logon<'_>) -> Outcome {
    script(&venv(), &["python/spnego_client.py"], server, &with_scheme(logon, "noflags"))
}

/// NTLM's own tokens under Negotiate.
pub fn pyspnego_raw(server: &Server, logon: &Logon<'_>) -> Outcome {
    script(&venv(), &["python/spnego_client.py"], server, &with_scheme(logon, "raw"))
}

fn with_scheme<'a>(logon: &Logon<'a>, ways: &'static str) -> Logon<'a> {
    let besides: &'static [(&str, &str)] = match ways {
        "nomic" => &[("PEER_SCHEME", "Negotiate"), ("PEER_SPNEGO", "nomic")],
        "noflags" => &[("PEER_SCHEME", "Negotiate"), ("PEER_SPNEGO", "noflags")],
        "raw" => &[("PEER_SCHEME", "Negotiate"), ("PEER_SPNEGO", "raw")],
        _ => &[("PEER_SCHEME", "Negotiate")],
    };
    Logon { besides, ..*logon }
}

/// Samba's SPNEGO.
pub fn samba_spnego(server: &Server, logon: &Logon<'_>) -> Outcome {
    script(Path::new("/usr/bin/python3"), &["python/samba_client.py"], server, &with_scheme(logon, ""))
}

/// Azure's go-ntlmssp, built by `cargo xtask peers`.
pub fn go_ntlmssp(server: &Server, logon: &Logon<'_>) -> Outcome {
    script(&installed().join("go/go-ntlmssp"), &[], server, logon)
}

/// The file by which gss-ntlmssp knows its user.
pub fn gss_users(logon: &Logon<'_>) -> tempfile::NamedTempFile {
    use std::io::Write;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{}:{}:{}", logon.domain, logon.user, logon.password).unwrap();
    file
}

/// What makes MIT's library know gss-ntlmssp, for one process and none beside.
pub fn gss_ntlmssp(users: &Path) -> [(&'static str, PathBuf); 2] {
    [("GSS_MECH_CONFIG", installed().join("gss/mech.conf")), ("NTLM_USER_FILE", users.to_owned())]
}

pub fn odd(server: &Server, logon: &Logon<'_>) -> Outcome {
    script(&venv(), &["python/odd_client.py"], server, logon)
}

pub fn samba(server: &Server, logon: &Logon<'_>) -> Outcome {
    script(Path::new("/usr/bin/python3"), &["python/samba_client.py"], server, logon)
}

pub fn soup_2(server: &Server, logon: &Logon<'_>) -> Outcome {
    let besides = [("PEER_SOUP", "2.4")];
    script(Path::new("/usr/bin/python3"), &["python/soup_client.py"], server, &Logon { besides: &besides, ..*logon })
}

pub fn soup_3(server: &Server, logon: &Logon<'_>) -> Outcome {
    let besides = [("PEER_SOUP", "3.0")];
    script(Path::new("/usr/bin/python3"), &["python/soup_client.py"], server, &Logon { besides: &besides, ..*logon })
}

pub fn httpntlm(server: &Server, logon: &Logon<'_>) -> Outcome {
    script(Path::new("node"), &["node/httpntlm_client.js"], server, logon)
}

pub fn axios_ntlm(server: &Server, logon: &Logon<'_>) -> Outcome {
    script(Path::new("node"), &["node/axios_ntlm_client.js"], server, logon)
}

pub fn java_url_connection(server: &Server, logon: &Logon<'_>) -> Outcome {
    script(Path::new("java"), &["java/UrlConnection.java"], server, logon)
}

pub fn apache_http_client(server: &Server, logon: &Logon<'_>) -> Outcome {
    let jars = ["httpclient", "httpcore", "commons-logging", "commons-codec"];
    let jars = jars.map(|jar| format!("/usr/share/java/{jar}.jar")).join(":");
    script(Path::new("java"), &["-cp", &jars, "java/ApacheHttpClient.java"], server, logon)
}

/// LWP with Authen::NTLM told to speak NTLMv2.
pub fn lwp(server: &Server, logon: &Logon<'_>) -> Outcome {
    let besides = [("PEER_V2", "1")];
    script(Path::new("perl"), &["perl/lwp_client.pl"], server, &Logon { besides: &besides, ..*logon })
}

/// LWP as it comes: NTLMv1.
pub fn lwp_v1(server: &Server, logon: &Logon<'_>) -> Outcome {
    script(Path::new("perl"), &["perl/lwp_client.pl"], server, logon)
}

pub fn ruby_httpclient(server: &Server, logon: &Logon<'_>) -> Outcome {
    script(Path::new("ruby"), &["ruby/httpclient_client.rb"], server, logon)
}

/// Opens the page without a window; gives it as the browser has it in the end. User and password are percent-encoded.
pub fn chromium(server: &Server, user: &str, password: &str) -> String {
    let profile = tempfile::tempdir().unwrap();
    let mut command = Command::new("chromium");
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-proxy-server", "--dump-dom"]);
    command.arg(format!("--user-data-dir={}", profile.path().display()));
    command.arg(format!("http://{user}:{password}@{}/", server.http));
    String::from_utf8_lossy(&run(command).stdout).into_owned()
}

/// Twenty connections of two users; gives a line for each answer.
pub fn mix(server: &Server, logon: &Logon<'_>) -> String {
    lines("python/mix_client.py", server, logon)
}

/// Times refusals; gives medians and their ratio.
pub fn timing(server: &Server, logon: &Logon<'_>) -> String {
    lines("python/timing_client.py", server, logon)
}

fn lines(path: &str, server: &Server, logon: &Logon<'_>) -> String {
    let output = script(&venv(), &[path], server, logon).output;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Signs and seals with the TCP service at `port`, by `library` (`pyspnego`, `samba` or `gssapi`); gives what it prints.
pub fn seal(port: u16, library: &str, logon: &Logon<'_>) -> String {
    let users = gss_users(logon);
    let python = if library == "pyspnego" { venv() } else { PathBuf::from("/usr/bin/python3") };
    let mut command = Command::new(python);
    command.current_dir(root().join("interop")).args(["python/seal_client.py", "127.0.0.1", &port.to_string()]);
    command.envs(gss_ntlmssp(users.path())).env("PEER_LIBRARY", library).envs([
        ("PEER_USER", logon.user),
        ("PEER_DOMAIN", logon.domain),
        ("PEER_PASSWORD", logon.password),
    ]);
    command.envs(logon.besides.iter().copied());
    let output = run(command);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A program that runs until it is dropped.
pub struct Background {
    child: std::process::Child,
    pub port: u16,
}

impl Background {
    /// Starts one that prints `listening PORT` when it does.
    pub fn start(mut command: Command) -> Self {
        use std::io::BufRead;
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("listening ").and_then(|port| port.parse().ok());
        Self { port: port.unwrap_or_else(|| panic!("{command:?}: {line:?}: run `cargo xtask peers`")), child }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An acceptor of NTLM or Negotiate by `library` (`pyspnego`, `gssapi` or `ntlm_auth`), for one connection.
pub fn acceptor(library: &str, package: &str, environment: &[(&str, &str)]) -> Background {
    let python = if library == "pyspnego" { venv() } else { PathBuf::from("/usr/bin/python3") };
    let mut command = Command::new(python);
    command.current_dir(root().join("interop")).arg("python/acceptor.py");
    command.envs([("PEER_LIBRARY", library), ("PEER_PACKAGE", package), ("LC_ALL", "C.UTF-8")]);
    command.env("GSS_MECH_CONFIG", installed().join("gss/mech.conf")).envs(environment.iter().copied());
    Background::start(command)
}

/// The Python that has the packages of `interop/python/requirements.txt`.
pub fn venv() -> PathBuf {
    installed().join("venv/bin/python")
}

/// What `cargo xtask peers` made.
pub fn installed() -> PathBuf {
    root().join("target/interop")
}

fn script(program: &Path, args: &[&str], server: &Server, logon: &Logon<'_>) -> Outcome {
    let mut command = Command::new(program);
    command.current_dir(root().join("interop")).args(args);
    command.envs([
        ("PEER_URL", server.url().as_str()),
        ("PEER_USER", logon.user),
        ("PEER_DOMAIN", logon.domain),
        ("PEER_PASSWORD", logon.password),
        ("PEER_TIMES", &logon.times.to_string()),
        ("PYTHONWARNINGS", "ignore"),
        ("LC_ALL", "C.UTF-8"),
    ]);
    command.env("NODE_PATH", installed().join("node/node_modules"));
    command.envs(logon.body.map(|body| ("PEER_BODY", body))).envs(logon.besides.iter().copied());
    Outcome::of(run(command))
}

/// A body that is not JSON is `null`.
pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// Runs a client to its end, two minutes at most.
pub fn run(mut command: Command) -> Output {
    for proxy in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let shown = format!("{command:?}");
    let child = command
        .spawn()
        .unwrap_or_else(|why| panic!("{shown} does not start ({why}): run `cargo xtask peers`, which installs it"));
    let id = child.id().to_string();
    let (done, waiting) = mpsc::channel();
    let watch = std::thread::spawn(move || {
        if waiting.recv_timeout(Duration::from_secs(120)).is_err() {
            let _ = Command::new("kill").args(["-9", &id]).status();
        }
    });
    let output = child.wait_with_output().unwrap();
    let _ = done.send(());
    let _ = watch.join();
    output
}
