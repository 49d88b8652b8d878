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
}

impl Server {
    /// A server with the defaults and the account [`ANN`].
    pub fn start() -> Self {
        Self::with("")
    }

    /// A server with these settings besides, and the account [`ANN`].
    pub fn with(settings: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let names = format!(
            "[names]\nnetbios_computer = \"WEB1\"\ndns_computer = \"web1.corp.example\"\n\
             [domain]\nnetbios = \"{DOMAIN}\"\ndns = \"corp.example\"\n"
        );
        std::fs::write(data.path().join("portcullis.toml"), format!("{names}{settings}")).unwrap();
        let (child, http) = serve(data.path());
        let server = Self { child, data, http };
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

fn serve(data: &Path) -> (Child, SocketAddr) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["serve", "--http", "127.0.0.1:0", "--data"])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(std::fs::OpenOptions::new().create(true).append(true).open(log(data)).unwrap())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let listening = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("listening http ").map(str::to_owned))
        .unwrap_or_else(|| panic!("serve ended: {}", std::fs::read_to_string(log(data)).unwrap_or_default()));
    // Nobody may find the pipe full or closed.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    (child, listening.parse().expect("ADDR:PORT"))
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
