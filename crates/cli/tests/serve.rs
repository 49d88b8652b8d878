//! `portcullis serve` as its users run it: the program itself, and curl.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

struct Serving {
    child: Child,
    out: BufReader<ChildStdout>,
    address: SocketAddr,
    log: PathBuf,
}

impl Serving {
    fn start(data: &Path, more: &[&str]) -> Self {
        let log = data.with_extension("log");
        let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(["serve", "--http", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let Some(address) = line.trim_end().strip_prefix("listening http ") else {
            panic!("{line:?}: {}", fs::read_to_string(&log).unwrap())
        };
        let address = address.parse().unwrap();
        Self { child, out, address, log }
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// What a first start prints, up to the line that is to be tried: that line, and the password.
    fn first_start(&mut self) -> (String, String) {
        let mut line = String::new();
        while !line.trim_start().starts_with("curl ") {
            line.clear();
            assert!(self.out.read_line(&mut line).unwrap() > 0, "no curl line");
        }
        let line = line.trim().to_owned();
        let password = line.split("admin:").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        (line, password)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    fn wait_for_log(&self, text: &str) {
        for _ in 0..500 {
            if self.log().contains(text) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{text:?} is not in the log: {}", self.log());
    }

    /// The exit code, once it ends.
    fn end(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status, and the body.
fn curl(args: &[&str]) -> (u16, String) {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "20", "--write-out", "\n%{http_code}"])
        .args(args)
        .output()
        .expect("this test needs curl");
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (status.parse().unwrap(), body.to_owned())
}

const JSON: [&str; 2] = ["-H", "Accept: application/json"];

fn causes(data: &Path) -> Vec<String> {
    let text = fs::read_to_string(data.join("audit.jsonl")).unwrap();
    let line =
        |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["cause"].as_str().unwrap().to_owned();
    text.lines().map(line).collect()
}

#[test]
fn the_first_start_prints_a_line_that_works_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut serving = Serving::start(&data, &[]);
    let (line, password) = serving.first_start();
    let output = Command::new("sh").args(["-c", &format!("{line} --silent --fail")]).output().unwrap();
    assert!(output.status.success(), "{line}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("admin"));
    for file in ["audit.jsonl", "master.key", "portcullis.db", "portcullis.toml"] {
        assert!(data.join(file).exists(), "{file}");
    }
    assert_eq!(fs::read_to_string(data.join("portcullis.toml")).unwrap(), portcullis_server::DEFAULT_FILE);

    let user = format!("admin:{password}");
    let url = serving.url();
    for scheme in ["--ntlm", "--basic"] {
        let (status, body) = curl(&[&[scheme, "-u", &user, &url], &JSON[..]].concat());
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, json["name"].as_str()), (200, Some("admin")));
        for key in ["domain", "sid", "package", "mechanism"] {
            assert!(json[key].is_string(), "{key} in {body}");
        }
        assert_eq!(curl(&[scheme, "-u", "admin:wrong", &url]).0, 401);
        assert_eq!(curl(&[scheme, "-u", "nobody:wrong", &url]).0, 401);
    }
    // Bodies, small and larger than what is read of a stranger.
    let big = folder.path().join("big");
    fs::write(&big, vec![b'x'; 3 << 20]).unwrap();
    let big = format!("@{}", big.display());
    assert_eq!(curl(&["--ntlm", "-u", &user, "-d", "a=b", &url]).0, 200);
    assert_eq!(curl(&["--ntlm", "-u", &user, "--data-binary", &big, &url]).0, 200);
    assert_eq!(curl(&["--ntlm", "-u", &user, "-X", "DELETE", &format!("{url}a/b?c=d")]).0, 200);
    assert_eq!(curl(&["--ntlm", "-u", &user, "-I", &url]).0, 200);
    assert_eq!(curl(&[&format!("{url}healthz")]), (200, "ok\n".to_owned()));
    assert_eq!(curl(&[&url]).0, 401);
    let causes = causes(&data);
    let count = |cause: &str| causes.iter().filter(|c| *c == cause).count();
    assert_eq!((count("ok"), count("account/wrong-proof"), count("account/unknown-account")), (7, 2, 2), "{causes:?}");
    // Where curl may choose it takes Negotiate, for which it needs a ticket; with that left out it takes the next.
    drop(serving);
    let serving = Serving::start(&data, &["--schemes", "ntlm,basic"]);
    let url = serving.url();
    assert_eq!(curl(&["--anyauth", "-u", &user, "-d", "a=b", &url]).0, 200);
    assert_eq!(curl(&["--anyauth", "-u", &user, "--data-binary", &big, &url]).0, 200);
    assert_eq!(curl(&["--anyauth", "-u", "admin:wrong", &url]).0, 401);
    // The second start makes nothing, and says nothing of a password.
    drop(serving);
    let mut serving = Serving::start(&data, &[]);
    assert_eq!(curl(&["--ntlm", "-u", &user, &serving.url()]).0, 200);
    serving.signal(Signal::TERM);
    let mut rest = String::new();
    serving.out.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), serving.end()), ("", Some(0)));
}

#[test]
fn a_hangup_reads_the_configuration_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut serving = Serving::start(&data, &[]);
    let user = format!("admin:{}", serving.first_start().1);
    let url = serving.url();
    let refusal = || curl(&["-i", &url]).1;
    let config = data.join("portcullis.toml");

    // One that makes no sense changes nothing, and says where.
    fs::write(&config, "[http]\nrealn = \"New\"\n").unwrap();
    serving.signal(Signal::HUP);
    serving.wait_for_log("did you mean `realm`?");
    assert!(serving.log().contains("line 2") && refusal().contains("realm=\"Portcullis\""));

    // One that does holds for the next request; nothing is lost meanwhile.
    fs::write(&config, "[http]\nrealm = \"New\"\n").unwrap();
    fs::rename(data.join("audit.jsonl"), data.join("audit.old")).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| {
            let mut done = 0;
            while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                assert_eq!(curl(&["--ntlm", "-u", &user, &url]).0, 200);
                done += 1;
            }
            done
        });
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(100));
            serving.signal(Signal::HUP);
        }
        std::thread::sleep(Duration::from_millis(200));
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
        assert!(busy.join().unwrap() > 0);
    });
    assert!(refusal().contains("realm=\"New\""));
    assert!(!causes(&data).is_empty(), "the moved audit log was not left behind");
}

#[test]
fn ten_thousand_half_open_handshakes_do_not_keep_a_user_out() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    let count =
        usize::try_from(limit.maximum.unwrap_or(u64::MAX)).unwrap_or(usize::MAX).saturating_sub(500).min(10_000);
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut serving = Serving::start(&data, &["--log", "error"]);
    let user = format!("admin:{}", serving.first_start().1);
    // The shortest NEGOTIATE there is, as curl's but without names.
    let request = "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: NTLM TlRMTVNTUAABAAAABoIIAA==\r\n\r\n";
    let mut flood: Vec<TcpStream> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut stream = TcpStream::connect(serving.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        flood.push(stream);
    }
    let last = flood.last_mut().unwrap();
    let mut bytes = [0; 4096];
    let read = last.read(&mut bytes).unwrap();
    assert!(String::from_utf8_lossy(&bytes[..read]).contains("NTLM TlRMTVNTUAAC"), "the last one is half-open too");
    let start = Instant::now();
    let (status, _) = curl(&["--ntlm", "-u", &user, &serving.url()]);
    let took = start.elapsed();
    assert_eq!(status, 200);
    assert!(took < Duration::from_secs(2), "{took:?}");
    let causes = causes(&data);
    assert_eq!(causes.last().map(String::as_str), Some("ok"));
    assert!(causes.iter().filter(|cause| *cause == "host/half-open-limit").count() >= count.saturating_sub(1025));
    eprintln!("{count} half-open, a good logon in {took:?}");
}

#[test]
fn no_secret_is_in_the_log_at_any_level() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut serving = Serving::start(&data, &["--log", "trace", "--log-format", "json"]);
    let (_, password) = serving.first_start();
    let (url, user) = (serving.url(), format!("admin:{password}"));
    assert_eq!(curl(&["--ntlm", "-u", &user, &url]).0, 200);
    assert_eq!(curl(&["--basic", "-u", &user, &url]).0, 200);
    assert_eq!(curl(&["--basic", "-u", "admin:s3cr3t-typo", &url]).0, 401);
    assert_eq!(curl(&["--ntlm", "-u", "evil\u{1b}[2J\nname:x", &url]).0, 401);
    serving.signal(Signal::TERM);
    assert_eq!(serving.end(), Some(0));
    let log = serving.log();
    assert!(log.lines().count() > 3, "{log}");
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    let audit = fs::read_to_string(data.join("audit.jsonl")).unwrap();
    for text in [&log, &audit] {
        for secret in [password.as_str(), "s3cr3t-typo", "TlRMTVNTUAAD", "YWRtaW46", "\u{1b}"] {
            assert!(!text.contains(secret), "{secret:?}");
        }
    }
    assert_eq!(audit.lines().count(), 4);
}

#[test]
fn requests_under_way_are_finished_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut serving = Serving::start(&data, &[]);
    let mut stream = TcpStream::connect(serving.address).unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    serving.signal(Signal::TERM);
    serving.wait_for_log("stopping");
    assert!(TcpStream::connect(serving.address).is_err(), "nobody new is let in");
    stream.write_all(b"cd").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn the_configuration_is_checked_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_portcullis")).args(args).arg("--data").arg(folder.path()).output();
        let output = output.unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.success(), text)
    };
    assert_eq!(run(&["serve", "--print-config"]), (true, portcullis_server::DEFAULT_FILE.to_owned()));
    assert!(run(&["config", "check"]).0);
    fs::write(folder.path().join("portcullis.toml"), "[limits]\nhalfopen = 1\n").unwrap();
    for command in [&["config", "check"][..], &["serve"]] {
        let (success, text) = run(command);
        assert!(!success && text.contains("line 2") && text.contains("did you mean `half_open`?"), "{text}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was made");
    let completions = Command::new(env!("CARGO_BIN_EXE_portcullis")).args(["completions", "bash"]).output().unwrap();
    assert!(String::from_utf8(completions.stdout).unwrap().contains("--print-config"));
}
