//! A `portcullis` in a folder of its own.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The account that most tests log on with.
pub const ANN: &str = "ann";
pub const PASSWORD: &str = "Correct-horse 7";

/// The domain of the tests' server; its DNS name is `corp.example`.
pub const DOMAIN: &str = "CORP";

/// A running server; dropped, it ends.
pub struct Server {
    child: Child,
    data: TempDir,
    pub http: SocketAddr,
    https: Option<SocketAddr>,
}

impl Server {
    /// A server with the defaults and the account [`ANN`].
    pub fn start() -> Self {
        Self::with("")
    }

    /// A server with these settings besides, and the account [`ANN`].
    pub fn with(settings: &str) -> Self {
        Self::with_arguments(settings, &[])
    }

    /// The same with more on the command line of `serve`.
    pub fn with_arguments(settings: &str, arguments: &[String]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let names = format!(
            "[names]\nnetbios_computer = \"WEB1\"\ndns_computer = \"web1.corp.example\"\n\
             [domain]\nnetbios = \"{DOMAIN}\"\ndns = \"corp.example\"\n"
        );
        std::fs::write(data.path().join("portcullis.toml"), format!("{names}{settings}")).unwrap();
        let (child, http, https) = serve(data.path(), arguments);
        let server = Self { child, data, http, https };
        server.account(ANN, PASSWORD);
        server
    }

    /// Makes an account.
    pub fn account(&self, name: &str, password: &str) {
        self.cli_with(&["account", "add", name, "--password-stdin"], password);
    }

    /// Runs `portcullis ARGS --data DIR`; gives what it prints.
    pub fn cli(&self, args: &[&str]) -> String {
        self.cli_with(args, "")
    }

    fn cli_with(&self, args: &[&str], input: &str) -> String {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(args)
            .arg("--data")
            .arg(self.data.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{args:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    pub fn data(&self) -> &Path {
        self.data.path()
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.http)
    }

    /// Where it serves HTTPS.
    pub fn https(&self) -> SocketAddr {
        self.https.expect("a server that was started with --https")
    }

    /// Has everything read anew, and waits until it is.
    pub fn reload(&self) {
        const DONE: &str = "are read anew";
        let log = || std::fs::read_to_string(log(self.data.path())).unwrap_or_default();
        let before = log().matches(DONE).count();
        self.signal();
        let until = Instant::now() + Duration::from_secs(20);
        while log().matches(DONE).count() == before {
            assert!(Instant::now() < until, "the configuration is not read anew: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks it to read everything anew, without waiting.
    pub fn signal(&self) {
        let sent = Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Every line of the audit log so far.
    pub fn audit(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.data.path().join("audit.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
    }

    /// The causes in the audit log, oldest first.
    pub fn causes(&self) -> Vec<String> {
        self.audit().iter().map(|line| line["cause"].as_str().expect("a cause").to_owned()).collect()
    }

    /// Waits until the audit log's newest line has this cause: lines may be written after the answer.
    pub fn expect_last_cause(&self, cause: &str) -> Value {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let lines = self.audit();
            match lines.last() {
                Some(line) if line["cause"] == cause => return line.clone(),
                _ if Instant::now() < until => std::thread::sleep(Duration::from_millis(20)),
                last => panic!("the audit log ends with {last:?}, not with {cause}"),
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.child);
        if std::thread::panicking() {
            eprintln!("audit log: {:#?}", self.audit());
            eprintln!("log: {}", std::fs::read_to_string(log(self.data.path())).unwrap_or_default());
        }
    }
}

fn serve(data: &Path, arguments: &[String]) -> (Child, SocketAddr, Option<SocketAddr>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["serve", "--http", "127.0.0.1:0", "--data"])
        .arg(data)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(std::fs::OpenOptions::new().create(true).append(true).open(log(data)).unwrap())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut http, mut https) = (None, None);
    let with_tls = arguments.iter().any(|argument| argument == "--https");
    while http.is_none() || (with_tls && https.is_none()) {
        let line = lines.next().and_then(Result::ok);
        let ended = || panic!("serve ended: {}", std::fs::read_to_string(log(data)).unwrap_or_default());
        let line = line.unwrap_or_else(ended);
        let address = |scheme| line.strip_prefix(scheme).map(|address| address.parse().expect("ADDR:PORT"));
        http = http.or_else(|| address("listening http "));
        https = https.or_else(|| address("listening https "));
    }
    // Nobody may find the pipe full or closed.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    (child, http.expect("read above"), https)
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Beside the data folder's own files, where no store looks.
fn log(data: &Path) -> PathBuf {
    data.join("serve.stderr")
}

/// The workspace's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}
