//! The socket between a server and its authority: both ends, and ends that misbehave.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use portcullis::password::Password;
use portcullis::{
    Account, Answer, Authority, Call, Credential, Handshake, NeedsAnswer, Question, Refusal, Sid, password,
};
use portcullis_authority::remote::{Peers, Remote, RemoteError, RemoteServer, Service, Stop, VERSION};
use portcullis_authority::{DomainNames, StoreError};
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

const PATIENCE: Duration = Duration::from_secs(5);

/// One account, `ann` with the password `pw`; lines are kept.
#[derive(Default)]
struct OneAccount {
    lines: Mutex<Vec<Vec<u8>>>,
}

impl Authority for OneAccount {
    fn answer(&self, question: &Question) -> Answer {
        let Question::VerifyPassword(asked) = question else { return question.refuse(Refusal::NotAnswered) };
        let account = Account {
            sid: Sid::new(5, &[21, 1, 2, 3, 1001]),
            name: asked.claim.user().to_owned(),
            domain: "CORP".into(),
            dns_domain: String::new(),
            upn: None,
            display_name: None,
            mail: None,
            groups: Vec::new(),
            logoff_at: None,
            password_expires_at: None,
        };
        match password::verify(b"pw", asked.password.expose().as_bytes()) {
            Some(verified) => asked.accept(verified, Arc::new(account)),
            None => asked.refuse(Refusal::WrongProof),
        }
    }
}

impl Service for OneAccount {
    fn domain(&self) -> Result<DomainNames, StoreError> {
        Ok(DomainNames::new("CORP", "corp.example").unwrap())
    }

    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        self.lines.lock().unwrap().push(line.to_vec());
        Ok(())
    }
}

struct Running {
    _folder: tempfile::TempDir,
    path: PathBuf,
    stop: Stop,
    accounts: Arc<OneAccount>,
}

impl Running {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("authority.sock");
        let accounts = Arc::new(OneAccount::default());
        let stop = serve(&path, &accounts);
        Self { _folder: folder, path, stop, accounts }
    }
}

fn serve(path: &Path, accounts: &Arc<OneAccount>) -> Stop {
    let server = RemoteServer::bind(path, Peers::default()).unwrap();
    let (stop, service) = (server.stop(), Arc::clone(accounts) as Arc<dyn Service>);
    std::thread::spawn(move || server.run(&service));
    stop
}

fn asking(user_and_password: &str) -> NeedsAnswer {
    let mut random = |bytes: &mut [u8]| {
        bytes.fill(1);
        Ok(())
    };
    let (mut events, mut out) = ((), Vec::new());
    let call = Call::new(SystemTime::now(), &mut random, &mut events, &mut out);
    match Credential::acceptor(Password::new()).begin().token(user_and_password.as_bytes(), call).unwrap() {
        Handshake::NeedsAnswer(asking) => asking,
        other => panic!("{other:?}"),
    }
}

fn verdict(remote: &Remote, user_and_password: &str) -> Result<String, Refusal> {
    let asking = asking(user_and_password);
    let answer = remote.answer(asking.question());
    let verdict = answer.verdict().map_err(|denied| match denied.cause {
        portcullis::Cause::Refused(why) => why,
        other => panic!("{other}"),
    })?;
    Ok(verdict.account().unwrap().qualified_name())
}

#[test]
fn questions_lines_and_names_cross() {
    let running = Running::start();
    let remote = Remote::at(&running.path, PATIENCE);
    assert_eq!(verdict(&remote, "ann:pw"), Ok(r"CORP\ann".to_owned()));
    assert_eq!(verdict(&remote, "ann:wrong"), Err(Refusal::WrongProof));
    assert_eq!(remote.domain().unwrap(), DomainNames::new("CORP", "corp.example").unwrap());
    remote.check().unwrap();
    remote.write(b"{\"cause\":\"ok\"}\n").unwrap();
    // One line at a time, and JSON: a server that is not ours any more cannot forge the log's form.
    for line in [&b"{}"[..], b"{}\n{}\n", b"x\n", b"\n", b"[]\n"] {
        assert!(matches!(remote.write(line), Err(RemoteError::Failed)), "{line:?}");
    }
    assert_eq!(*running.accounts.lines.lock().unwrap(), [b"{\"cause\":\"ok\"}\n".to_vec()]);
}

#[test]
fn an_answer_from_elsewhere_fits_its_handshake_and_no_other() {
    let running = Running::start();
    let remote = Remote::at(&running.path, PATIENCE);
    let (a, b) = (asking("ann:pw"), asking("bob:pw"));
    let for_a = remote.answer(a.question());
    let (mut out, mut events) = (Vec::new(), ());
    let mut random = |_: &mut [u8]| Ok(());
    let call = Call::new(SystemTime::now(), &mut random, &mut events, &mut out);
    assert_eq!(b.answer(for_a, call).unwrap_err().cause.name(), "call/foreign-answer");
}

#[test]
fn a_restarted_authority_is_found_again() {
    let running = Running::start();
    let remote = Remote::at(&running.path, PATIENCE);
    assert!(verdict(&remote, "ann:pw").is_ok());
    running.stop.stop();
    let until = Instant::now() + PATIENCE;
    // The thread of the kept connection may still answer once: it belongs to this very process.
    while verdict(&Remote::at(&running.path, PATIENCE), "ann:pw") != Err(Refusal::AuthorityUnreachable) {
        assert!(Instant::now() < until);
    }
    let _again = serve(&running.path, &running.accounts);
    let until = Instant::now() + PATIENCE;
    while verdict(&remote, "ann:pw").is_err() {
        assert!(Instant::now() < until, "the authority is back and was not asked");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// An authority that does `act` with each connection.
fn misbehaving(act: impl Fn(UnixStream) + Send + 'static) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authority.sock");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(&act));
    (folder, path)
}

fn hello(version: u16) -> Vec<u8> {
    [&b"PCLSAUTH"[..], &version.to_le_bytes()].concat()
}

/// Reads a request and gives its id.
fn request(stream: &mut UnixStream) -> [u8; 8] {
    let mut len = [0; 4];
    stream.read_exact(&mut len).unwrap();
    let mut body = vec![0; u32::from_le_bytes(len) as usize];
    stream.read_exact(&mut body).unwrap();
    body[..8].try_into().unwrap()
}

#[test]
fn another_release_is_told_by_its_version() {
    let (_folder, path) = misbehaving(|mut stream| stream.write_all(&hello(VERSION + 8)).unwrap());
    assert!(
        matches!(Remote::at(&path, PATIENCE).domain(), Err(RemoteError::Version(version)) if version == VERSION + 8)
    );
    let (_folder, path) = misbehaving(|mut stream| stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap());
    assert!(matches!(Remote::at(&path, PATIENCE).domain(), Err(RemoteError::Io(_))));
}

#[test]
fn nonsense_foreign_and_endless_answers_are_unreachable() {
    let replies: [fn([u8; 8]) -> Vec<u8>; 5] = [
        // An id that was not asked, with a yes.
        |_| [&20u32.to_le_bytes()[..], &99u64.to_le_bytes(), &[0x81], &[0; 11]].concat(),
        |_| [&9u32.to_le_bytes()[..], &99u64.to_le_bytes(), &[0x84]].concat(),
        |id| [&9u32.to_le_bytes()[..], &id, &[0x7f]].concat(),
        // Something else than what was asked.
        |id| [&9u32.to_le_bytes()[..], &id, &[0x84]].concat(),
        |_| u32::MAX.to_le_bytes().to_vec(),
    ];
    for reply in replies {
        let (_folder, path) = misbehaving(move |mut stream| {
            stream.write_all(&hello(VERSION)).unwrap();
            let mut theirs = [0; 10];
            stream.read_exact(&mut theirs).unwrap();
            let id = request(&mut stream);
            let _ = stream.write_all(&reply(id));
            std::mem::forget(stream); // no end of file
        });
        let remote = Remote::at(&path, Duration::from_millis(500));
        assert_eq!(verdict(&remote, "ann:pw"), Err(Refusal::AuthorityUnreachable));
    }
}

#[test]
fn a_silent_authority_costs_its_patience_once() {
    let (_folder, path) = misbehaving(std::mem::forget);
    let remote = Arc::new(Remote::at(&path, Duration::from_millis(400)));
    let begun = Instant::now();
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let remote = Arc::clone(&remote);
            std::thread::spawn(move || verdict(&remote, "ann:pw"))
        })
        .collect();
    for asked in asking {
        assert_eq!(asked.join().unwrap(), Err(Refusal::AuthorityUnreachable));
    }
    // From now on one question at a time tries it; all others are told at once. None of them is let in.
    for _ in 0..100 {
        assert_eq!(verdict(&remote, "ann:pw"), Err(Refusal::AuthorityUnreachable));
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn a_client_that_speaks_nonsense_is_dropped_and_others_are_served() {
    let running = Running::start();
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[hello(VERSION), vec![0xff; 4]].concat(),
        &[hello(VERSION), vec![3, 0, 0, 0, 1, 2, 3]].concat(),
    ] {
        let mut stream = UnixStream::connect(&running.path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(bytes).unwrap();
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        assert_eq!(said, hello(VERSION), "{bytes:?}");
    }
    assert!(verdict(&Remote::at(&running.path, PATIENCE), "ann:pw").is_ok());
}

#[test]
fn a_living_authority_keeps_its_socket_and_a_dead_ones_is_replaced() {
    let running = Running::start();
    let taken = RemoteServer::bind(&running.path, Peers::default());
    assert_eq!(taken.err().unwrap().kind(), io::ErrorKind::AddrInUse);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authority.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    RemoteServer::bind(&path, Peers::default()).unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    assert!(RemoteServer::bind(&file, Peers::default()).is_err());
    assert_eq!(std::fs::read(&file).unwrap(), b"x", "what is no socket stays");
}
