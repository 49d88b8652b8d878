//! The authority in a process of its own: what the serving process may and holds, and what becomes of clients when the
//! authority is killed, stopped and started again.
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
use portcullis::ntlm::keys;
use portcullis_testkit::Initiator;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const PASSWORD: &str = "Correct-horse 7";

/// A data folder with the account `ann`, and short waits.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(site.data()).unwrap();
        fs::set_permissions(site.data(), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(
            site.data().join("portcullis.toml"),
            "[domain]\nnetbios = \"CORP\"\n[limits]\nauthority_seconds = 2\nauthority_answer_seconds = 1\n",
        )
        .unwrap();
        site
    }

    fn with_ann() -> Self {
        let site = Self::new();
        site.cli(&["account", "add", "ann", "--password-stdin"], PASSWORD);
        // Wrong passwords are a part of the load.
        site.cli(&["policy", "set", "--lockout-threshold", "0"], "");
        site
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("authority.sock")
    }

    fn cli(&self, args: &[&str], input: &str) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        command.args(args).arg("--data").arg(self.data()).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{args:?}");
    }

    fn authority(&self, more: &[&str]) -> Process {
        let socket = self.socket();
        let args = ["authority", "--socket", socket.to_str().unwrap()];
        Process::start(self, &[&args[..], more].concat(), "listening authority ")
    }

    fn serve(&self) -> Process {
        let socket = self.socket();
        let args = ["serve", "--http", "127.0.0.1:0", "--authority", socket.to_str().unwrap()];
        Process::start(self, &args, "listening http ")
    }
}

/// A `portcullis` that runs until it is dropped.
struct Process {
    child: Child,
    /// What stands behind the awaited words.
    said: String,
    /// Every line that it printed up to there.
    printed: Vec<String>,
    log: PathBuf,
}

impl Process {
    fn start(site: &Site, args: &[&str], awaited: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let log = site.folder.path().join(format!("log-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(args)
            .arg("--data")
            .arg(site.data())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut printed = Vec::new();
        let said = loop {
            let Some(Ok(line)) = lines.next() else { panic!("{args:?}: {}", fs::read_to_string(&log).unwrap()) };
            printed.push(line.clone());
            if let Some(said) = line.strip_prefix(awaited) {
                break said.to_owned();
            }
        };
        // Nobody may find the pipe full or closed.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Self { child, said, printed, log }
    }

    fn address(&self) -> SocketAddr {
        self.said.parse().unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    fn status(&self, field: &str) -> String {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
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

/// One NTLM logon; gives the last status.
fn log_on(address: SocketAddr, user: &str, password: &str) -> io::Result<u16> {
    let initiator = Initiator::new(user, "CORP", password);
    let negotiate = initiator.negotiate();
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let (status, challenge) = leg(&mut stream, &negotiate)?;
    let Some(challenge) = challenge.filter(|_| status == 401) else { return Ok(status) };
    let (authenticate, _) = initiator.authenticate(&negotiate, &challenge).unwrap();
    leg(&mut stream, &authenticate).map(|(status, _)| status)
}

fn leg(stream: &mut TcpStream, token: &[u8]) -> io::Result<(u16, Option<Vec<u8>>)> {
    let token = STANDARD.encode(token);
    write!(stream, "GET / HTTP/1.1\r\nHost: web1\r\nAccept: application/json\r\nAuthorization: NTLM {token}\r\n\r\n")?;
    let mut reader = BufReader::new(&*stream);
    let (mut status, mut challenge, mut length) = (0, None, 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end().to_ascii_lowercase().chars().collect::<String>() + "\n" + line.trim_end();
        let (lower, line) = line.split_once('\n').unwrap();
        match lower {
            "" => break,
            _ if lower.starts_with("http/1.1 ") => status = lower[9..12].parse().unwrap(),
            _ if lower.starts_with("www-authenticate: ntlm ") => challenge = STANDARD.decode(&line[23..]).ok(),
            _ if lower.starts_with("content-length: ") => length = lower[16..].parse().unwrap(),
            _ => {}
        }
    }
    io::copy(&mut reader.take(length), &mut io::sink())?;
    Ok((status, challenge))
}

fn causes(site: &Site) -> Vec<String> {
    let text = fs::read_to_string(site.data().join("audit.jsonl")).unwrap_or_default();
    let cause =
        |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["cause"].as_str().unwrap().to_owned();
    text.lines().map(cause).collect()
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn the_serving_process_opens_nothing_and_may_nothing() {
    let site = Site::with_ann();
    let _authority = site.authority(&[]);
    let serving = site.serve();
    assert_eq!(log_on(serving.address(), "ann", PASSWORD).unwrap(), 200);
    assert_eq!(log_on(serving.address(), "ann", "wrong").unwrap(), 401);
    assert_eq!(log_on(serving.address(), "nobody", PASSWORD).unwrap(), 401);
    // The authority writes what the server decided.
    assert_eq!(causes(&site), ["ok", "account/wrong-proof", "account/unknown-account"]);

    assert_eq!((serving.status("NoNewPrivs").as_str(), serving.status("Seccomp").as_str()), ("1", "2"));
    if geteuid().is_root() {
        assert_eq!(serving.status("CapEff"), "0000000000000000");
        assert_eq!(serving.status("CapPrm"), "0000000000000000");
        assert!(!serving.status("Uid").split(' ').any(|uid| uid == "0"), "{}", serving.status("Uid"));
        assert!(!serving.status("Groups").split(' ').any(|gid| gid == "0"), "{}", serving.status("Groups"));
        let mut held = Vec::new();
        for entry in fs::read_dir(format!("/proc/{}/fd", serving.child.id())).unwrap() {
            held.push(fs::read_link(entry.unwrap().path()).unwrap_or_default());
        }
        assert!(held.len() > 3, "{held:?}");
        let log = fs::canonicalize(&serving.log).unwrap();
        let folder = fs::canonicalize(site.folder.path()).unwrap();
        assert!(!held.iter().any(|path| path.starts_with(&folder) && *path != log), "{held:?}");
    } else {
        // Not even its own user may look into it.
        let looked = fs::read_dir(format!("/proc/{}/fd", serving.child.id()));
        assert_eq!(looked.err().map(|error| error.kind()), Some(io::ErrorKind::PermissionDenied));
    }
}

/// Every readable byte of a process.
fn memory(pid: u32) -> io::Result<Vec<Vec<u8>>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let mut file = File::open(format!("/proc/{pid}/mem"))?;
    let mut regions = Vec::new();
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|mode| mode.starts_with("rw"))) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        let mut region = vec![0; usize::try_from(number(end) - number(start)).unwrap()];
        file.seek(SeekFrom::Start(number(start)))?;
        if file.read_exact(&mut region).is_ok() {
            regions.push(region);
        }
    }
    Ok(regions)
}

fn holds(memory: &[Vec<u8>], needle: &[u8]) -> bool {
    memory.iter().any(|region| region.windows(needle.len()).any(|window| window == needle))
}

#[test]
fn the_serving_process_holds_neither_hash_nor_key() {
    let site = Site::with_ann();
    let authority = site.authority(&[]);
    let serving = site.serve();
    for _ in 0..20 {
        assert_eq!(log_on(serving.address(), "ann", PASSWORD).unwrap(), 200);
        assert_eq!(log_on(serving.address(), "ann", "wrong").unwrap(), 401);
    }
    let dumped = memory(serving.child.id());
    if !geteuid().is_root() {
        assert_eq!(dumped.err().map(|error| error.kind()), Some(io::ErrorKind::PermissionDenied));
        return;
    }
    let dumped = dumped.unwrap();
    let text = fs::read_to_string(site.data().join("master.key")).unwrap();
    let hexadecimal = text.split_whitespace().find(|word| word.len() == 64).expect("a key of 32 bytes in hexadecimal");
    let master: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&hexadecimal[2 * at..2 * at + 2], 16).unwrap()).collect();
    // The search finds what is there: the key where it belongs, and in the server what it needs to know.
    assert!(holds(&memory(authority.child.id()).unwrap(), &master), "the search does not find the authority's own key");
    assert!(holds(&dumped, b"CORP"), "the search does not find the domain's name");
    let hash = keys::nt_hash(PASSWORD);
    for (what, secret) in [
        ("the NT hash", hash.expose().as_slice()),
        ("NTOWFv2", keys::ntowf_v2(&hash, "ann", "CORP").expose()),
        ("the master key", &master),
        ("the master key in hexadecimal", hexadecimal.as_bytes()),
        ("the password", PASSWORD.as_bytes()),
    ] {
        assert!(!holds(&dumped, secret), "the serving process holds {what}");
    }
}

/// Logs on and on, rightly and wrongly, until told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    let_in: Arc<AtomicUsize>,
    threads: Vec<std::thread::JoinHandle<Duration>>,
}

impl Load {
    fn on(address: SocketAddr) -> Self {
        let (stop, let_in) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let threads = (0..6)
            .map(|number| {
                let (stop, let_in) = (Arc::clone(&stop), Arc::clone(&let_in));
                let password = if number % 2 == 0 { PASSWORD } else { "wrong" };
                std::thread::spawn(move || {
                    let mut longest = Duration::ZERO;
                    while !stop.load(Ordering::Relaxed) {
                        let begun = Instant::now();
                        let status = log_on(address, "ann", password).unwrap();
                        longest = longest.max(begun.elapsed());
                        assert!(status == 401 || (status == 200 && password == PASSWORD), "{status} for {password}");
                        let_in.fetch_add(usize::from(status == 200), Ordering::Relaxed);
                    }
                    longest
                })
            })
            .collect();
        Self { stop, let_in, threads }
    }

    fn let_in(&self) -> usize {
        self.let_in.load(Ordering::Relaxed)
    }

    /// Somebody is let in from now on.
    fn goes_on(&self) {
        let before = self.let_in();
        eventually("nobody is let in any more", || self.let_in() > before + 3);
    }

    /// Ends it; gives the longest that a logon took.
    fn end(self) -> Duration {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().map(|thread| thread.join().unwrap()).max().unwrap()
    }
}

#[test]
fn an_authority_that_is_killed_stopped_and_started_again_lets_nobody_wrong_in() {
    let site = Site::with_ann();
    let mut authority = site.authority(&[]);
    let serving = site.serve();
    let load = Load::on(serving.address());
    load.goes_on();
    let resident = |process: &Process| process.status("VmRSS").trim_end_matches(" kB").parse::<u64>().unwrap();
    let before = resident(&serving);

    for _ in 0..3 {
        authority.signal(Signal::KILL);
        authority.child.wait().unwrap();
        let refused = log_on(serving.address(), "ann", PASSWORD).unwrap();
        assert_eq!(refused, 401);
        authority = site.authority(&[]);
        load.goes_on();
    }
    for _ in 0..2 {
        authority.signal(Signal::STOP);
        let begun = Instant::now();
        // Longer than its patience.
        while begun.elapsed() < Duration::from_secs(3) {
            assert_eq!(log_on(serving.address(), "ann", "wrong").unwrap(), 401);
        }
        let stopped = load.let_in();
        assert_eq!(log_on(serving.address(), "ann", PASSWORD).unwrap(), 401);
        assert_eq!(load.let_in(), stopped, "somebody was let in while nobody could say so");
        authority.signal(Signal::CONT);
        load.goes_on();
    }
    // A question waits two seconds for its turn and one for its answer; twice, where a new connection was needed.
    let longest = load.end();
    assert!(longest < Duration::from_secs(15), "a logon took {longest:?}");
    let grown = resident(&serving).saturating_sub(before);
    assert!(grown < 32 * 1024, "the serving process grew by {grown} KiB");

    assert_eq!(log_on(serving.address(), "ann", PASSWORD).unwrap(), 200);
    assert_eq!(log_on(serving.address(), "ann", "wrong").unwrap(), 401);
    let log = serving.log();
    assert!(log.contains("account/authority-unreachable"), "{log}");
    assert!(log.contains("SEC_E_NO_AUTHENTICATING_AUTHORITY"), "{log}");
    assert!(log.contains("answers again"), "{log}");
    let known = ["ok", "account/wrong-proof", "account/authority-unreachable", "host/audit-unwritable"];
    assert!(causes(&site).iter().all(|cause| known.contains(&cause.as_str())), "{:?}", causes(&site));
}

#[test]
fn a_server_waits_for_its_authority() {
    let site = Site::with_ann();
    let waiting = std::thread::scope(|scope| {
        let serving = scope.spawn(|| site.serve());
        eventually("the server does not wait", || {
            let log = fs::read_dir(site.folder.path()).unwrap().filter_map(|entry| {
                fs::read_to_string(entry.unwrap().path()).ok().filter(|text| text.contains("waiting for the authority"))
            });
            log.count() == 1
        });
        let authority = site.authority(&[]);
        (serving.join().unwrap(), authority)
    });
    assert_eq!(log_on(waiting.0.address(), "ann", PASSWORD).unwrap(), 200);
}

#[test]
fn a_server_reads_its_configuration_anew_without_the_right_to_open_it() {
    let site = Site::with_ann();
    let _authority = site.authority(&[]);
    let serving = site.serve();
    let config = site.data().join("portcullis.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}\n[http]\nschemes = [\"Basic\"]\n")).unwrap();
    serving.signal(Signal::HUP);
    eventually("NTLM is still taken", || log_on(serving.address(), "ann", PASSWORD).unwrap() == 401);
    fs::write(&config, text).unwrap();
    serving.signal(Signal::HUP);
    eventually("NTLM is not taken", || log_on(serving.address(), "ann", PASSWORD).unwrap() == 200);
}

/// What `user` reads from the socket: a greeting where it may ask, nothing where not.
fn greeted(socket: &Path, user: u32) -> bool {
    let script = "import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.settimeout(10)\ns.connect(sys.argv[1])\n\
                  s.sendall(b'PCLSAUTH\\x01\\x00')\nprint(len(s.recv(64)))";
    let mut command = Command::new("python3");
    command.args(["-c", script]).arg(socket).uid(user).gid(user);
    let output = command.output().unwrap();
    // Who is turned away finds the connection closed, before or behind its own greeting.
    let closed = [&b"reset by peer\n"[..], b"Broken pipe\n"].iter().any(|end| output.stderr.ends_with(end));
    assert!(output.status.success() || closed, "{output:?}");
    output.stdout.starts_with(b"10")
}

#[test]
fn only_who_is_named_may_ask() {
    let site = Site::with_ann();
    fs::set_permissions(site.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let own = geteuid().as_raw();
    let authority = site.authority(&["--allow-user", "daemon"]);
    assert!(greeted(&site.socket(), own));
    if geteuid().is_root() {
        assert!(greeted(&site.socket(), 1), "daemon was named");
        assert!(!greeted(&site.socket(), 65534), "nobody was not");
        eventually("the log is silent", || authority.log().contains("turned away"));
    }
    drop(authority);
    let _authority = site.authority(&[]);
    assert_eq!(fs::metadata(site.socket()).unwrap().permissions().mode() & 0o777, 0o600);
}

/// Processes whose command line names the folder.
fn processes(folder: &Path, command: &str) -> Vec<Pid> {
    let folder = folder.to_str().unwrap();
    let all = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let of_folder = all.filter(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
        words.iter().any(|word| word.starts_with(folder)) && words.get(1).is_some_and(|word| word == command)
    });
    of_folder.filter_map(Pid::from_raw).collect()
}

#[test]
fn one_command_runs_both_and_ends_both() {
    let site = Site::new();
    let mut serving = Process::start(&site, &["serve", "--separate", "--http", "127.0.0.1:0"], "listening http ");
    let password = serving.printed.iter().find(|line| line.trim().len() == 23).expect("the first password").trim();
    assert_eq!(log_on(serving.address(), "admin", password).unwrap(), 200);
    assert_eq!(log_on(serving.address(), "admin", "wrong").unwrap(), 401);

    let first = processes(site.folder.path(), "authority");
    assert_eq!(first.len(), 1);
    kill_process(first[0], Signal::KILL).unwrap();
    eventually("the authority is not started again", || log_on(serving.address(), "admin", password).unwrap() == 200);
    assert_ne!(processes(site.folder.path(), "authority"), first);

    serving.signal(Signal::TERM);
    assert!(serving.child.wait().unwrap().success());
    eventually("a process outlives the server", || {
        ["keeper", "authority"].iter().all(|command| processes(site.folder.path(), command).is_empty())
    });
    assert!(!site.data().join("authority.sock").exists());
}

#[test]
fn switches_that_need_another_process_say_so() {
    let site = Site::new();
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        let output = command.args(args).arg("--data").arg(site.data()).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for args in [&["serve", "--danger-no-sandbox"][..], &["serve", "--user", "daemon"]] {
        let (code, error) = run(args);
        assert!(code == Some(2) && error.contains("--separate"), "{code:?} {error}");
    }
    let (code, error) = run(&["serve", "--separate", "--authority", "/nowhere"]);
    assert!(code == Some(2) && error.contains("cannot be used with"), "{error}");
    let (code, error) = run(&["serve", "--separate", "--user", "no-such-user"]);
    assert!(code == Some(2) && error.contains("no user `no-such-user`"), "{error}");
    assert_eq!(fs::read_dir(site.data()).unwrap().count(), 1, "nothing was made");
}
