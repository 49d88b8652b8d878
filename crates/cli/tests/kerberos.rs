//! Kerberos in running processes: where the keys are, what is remembered over SIGHUP, a restart and between servers.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis::kerberos::crypto::Enctype;
use portcullis_testkit::kerberos::{Client, LongTerm, Ticket, keytab};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A data folder, and a keytab beside it.
struct Site(tempfile::TempDir);

fn key(kvno: u32) -> LongTerm {
    LongTerm::of("HTTP/web.example@EXAMPLE", kvno, Enctype::Aes256Sha1)
}

/// A token of Ann's, made now; another number makes another one.
fn token(key: &LongTerm, number: u32) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
    let mut client = Client::of(Ticket::of(key, "ann@EXAMPLE", now)).again(number.into());
    (client.time, client.micros) = (now, number);
    client.token()
}

impl Site {
    fn new(settings: &str) -> Self {
        let site = Self(tempfile::tempdir().unwrap());
        fs::create_dir(site.data()).unwrap();
        fs::set_permissions(site.data(), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(site.data().join("portcullis.toml"), settings).unwrap();
        site.write(&[key(3)]);
        site
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn keytab(&self) -> String {
        self.0.path().join("krb5.keytab").display().to_string()
    }

    fn socket(&self) -> String {
        self.0.path().join("authority.sock").display().to_string()
    }

    fn write(&self, keys: &[LongTerm]) {
        let fresh = self.0.path().join("fresh");
        fs::write(&fresh, keytab(keys)).unwrap();
        fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(fresh, self.keytab()).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.args(args).arg("--data").arg(self.data()).stdin(Stdio::null());
        command
    }

    fn serve(&self, more: &[&str]) -> Process {
        Process::start(self, &[&["serve", "--http", "127.0.0.1:0"], more].concat(), "listening http ")
    }

    /// The causes that were written down.
    fn causes(&self) -> Vec<String> {
        let text = fs::read_to_string(self.data().join("audit.jsonl")).unwrap_or_default();
        let cause =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["cause"].as_str().unwrap().to_owned();
        text.lines().map(cause).collect()
    }
}

struct Process {
    child: Child,
    said: String,
    log: PathBuf,
}

impl Process {
    fn start(site: &Site, args: &[&str], awaited: &str) -> Self {
        let log = site.0.path().join(format!("log-{}-{:?}", args[0], Instant::now()).replace(' ', ""));
        let mut command = site.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = loop {
            let Some(Ok(line)) = lines.next() else { panic!("{args:?}: {}", fs::read_to_string(&log).unwrap()) };
            if let Some(said) = line.strip_prefix(awaited) {
                break said.to_owned();
            }
        };
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { child, said, log }
    }

    /// One request with a token; gives its status.
    fn ask(&self, token: &[u8]) -> u16 {
        let mut stream = TcpStream::connect(&self.said).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let token = STANDARD.encode(token);
        let request = format!(
            "GET / HTTP/1.1\r\nHost: web.example\r\nAuthorization: Negotiate {token}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer[9..12].parse().unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Until the log says so.
    fn says(&self, words: &str, times: usize) {
        let until = Instant::now() + Duration::from_secs(20);
        while self.log().matches(words).count() < times {
            assert!(Instant::now() < until, "{words}: {}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

#[test]
fn a_token_is_good_once_also_after_a_reload_and_keys_change_meanwhile() {
    let site = Site::new("");
    let serving = site.serve(&["--keytab", &site.keytab()]);
    let first = token(&key(3), 1);
    assert_eq!((serving.ask(&first), serving.ask(&first)), (200, 401));
    serving.signal(Signal::HUP);
    serving.says("are read anew", 1);
    assert_eq!(serving.ask(&first), 401);
    // The password was changed: a ticket of the new key, and one of the old.
    site.write(&[key(4)]);
    assert_eq!((serving.ask(&token(&key(4), 2)), serving.ask(&token(&key(3), 3))), (200, 200));
    assert_eq!(serving.ask(&token(&key(5), 4)), 401);
    assert_eq!(site.causes(), ["ok", "kerberos/replayed", "kerberos/replayed", "ok", "ok", "kerberos/no-key-version"]);
    assert!(!serving.log().contains(&format!("{:02x?}", key(3).key.value)[1..12]), "no key is logged");
    // Memory ends with the process, as keys do that are no longer in the file.
    drop(serving);
    assert_eq!(site.serve(&["--keytab", &site.keytab()]).ask(&token(&key(3), 5)), 401);
    site.write(&[key(4), key(3)]);
    assert_eq!(site.serve(&["--keytab", &site.keytab()]).ask(&first), 200);
}

#[test]
fn a_store_remembers_over_a_restart_and_for_two_servers() {
    let site = Site::new("[kerberos]\nkeytab = \"../krb5.keytab\"\nreplay = \"store\"\n");
    let (one, two) = (site.serve(&[]), site.serve(&[]));
    let (first, second) = (token(&key(3), 1), token(&key(3), 2));
    assert_eq!((one.ask(&first), two.ask(&first)), (200, 401));
    assert_eq!((two.ask(&second), one.ask(&second)), (200, 401));
    drop((one, two));
    let again = site.serve(&[]);
    assert_eq!((again.ask(&first), again.ask(&second), again.ask(&token(&key(3), 3))), (401, 401, 200));
}

/// Every readable byte of a process.
fn memory(pid: u32) -> Option<Vec<u8>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let mut file = File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut all = Vec::new();
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with("rw"))) {
        let (start, end) = line.split(' ').next()?.split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        let mut region = vec![0; usize::try_from(number(end) - number(start)).ok()?];
        file.seek(SeekFrom::Start(number(start))).ok()?;
        if file.read_exact(&mut region).is_ok() {
            all.append(&mut region);
        }
    }
    Some(all)
}

#[test]
fn with_an_authority_the_serving_process_never_holds_the_key() {
    let site = Site::new("");
    let (socket, file) = (site.socket(), site.keytab());
    let authority =
        Process::start(&site, &["authority", "--socket", &socket, "--keytab", &file], "listening authority ");
    let serving = site.serve(&["--authority", &socket]);
    let other = site.serve(&["--authority", &socket]);
    for number in 0..20 {
        let token = token(&key(3), number);
        assert_eq!((serving.ask(&token), serving.ask(&token), other.ask(&token)), (200, 401, 401));
    }
    assert_eq!(serving.ask(&token(&key(9), 99)), 401);
    assert_eq!(site.causes().last().map(String::as_str), Some("kerberos/no-key-version"));
    let detail = fs::read_to_string(site.data().join("audit.jsonl")).unwrap();
    assert!(detail.lines().last().unwrap().contains("kvno 9"), "what was wanted and what is held crosses: {detail}");
    if !geteuid().is_root() {
        return;
    }
    let needle = key(3).key.value;
    let holds = |pid: u32| memory(pid).unwrap().windows(needle.len()).any(|window| window == needle);
    assert!(holds(authority.child.id()), "the search does not find the key where it is");
    assert!(!holds(serving.child.id()));
}

#[test]
fn one_command_starts_both_with_the_keytab() {
    let site = Site::new("");
    let mut serving = site.serve(&["--separate", "--keytab", &site.keytab()]);
    let first = token(&key(3), 1);
    assert_eq!((serving.ask(&first), serving.ask(&first)), (200, 401));
    serving.signal(Signal::TERM);
    assert!(serving.child.wait().unwrap().success());
}

#[test]
fn a_keytab_that_cannot_be_used_is_told_at_the_start() {
    let site = Site::new("");
    let fails = |args: &[&str], code: i32, words: &str| {
        let output = site.command(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
    };
    let serve = |file: &Path| {
        ["serve", "--http", "127.0.0.1:0", "--keytab"]
            .map(str::to_owned)
            .into_iter()
            .chain([file.display().to_string()])
            .collect::<Vec<_>>()
    };
    let at = |file: &Path, words: &str| {
        let args = serve(file);
        fails(&args.iter().map(String::as_str).collect::<Vec<_>>(), 1, words);
    };
    at(Path::new("/nowhere/krb5.keytab"), "the keytab /nowhere/krb5.keytab is not there");
    site.write(&[]);
    at(Path::new(&site.keytab()), "holds no key that can open a ticket");
    fs::write(site.keytab(), "text").unwrap();
    at(Path::new(&site.keytab()), "not a keytab");
    let socket = site.socket();
    fails(&["authority", "--socket", &socket, "--keytab", &site.keytab()], 1, "not a keytab");
    fails(&["serve", "--authority", &socket, "--keytab", &site.keytab()], 2, "cannot be used with");
    fs::write(site.data().join("portcullis.toml"), "[negotiate]\npackages = \"!ntlm\"\n").unwrap();
    fails(&["serve", "--http", "127.0.0.1:0"], 1, "there is no keytab for Kerberos");
    site.write(&[key(3)]);
    assert_eq!(site.serve(&["--keytab", &site.keytab()]).ask(&token(&key(3), 1)), 200, "Kerberos alone");
}
