//! Kerberos tickets opened by another process, and the replay cache of several servers in it: over a real socket.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod kerberos;

use kerberos::{Held, Nobody, cause, keytab, opening, opening_for, seen};
use portcullis::kerberos::{ConfirmPac, PacSignature, PacVerdict, ServiceNames};
use portcullis::{Answer, Authority, Claim, Question, Vouched};
use portcullis_authority::remote::{Peers, Remote, RemoteServer, Service, Stop};
use portcullis_authority::{
    Authorities, DomainNames, KeytabAuthority, KeytabOptions, ReplayCache, Replays, StoreError,
};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const PATIENCE: Duration = Duration::from_secs(5);

struct Served(Authorities);

impl Authority for Served {
    fn answer(&self, question: &Question) -> Answer {
        self.0.answer(question)
    }
}

impl Service for Served {
    fn domain(&self) -> Result<DomainNames, StoreError> {
        Ok(DomainNames::new("CORP", "corp.example").unwrap())
    }

    fn opens_tickets(&self) -> bool {
        self.0.opens_tickets()
    }

    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn write(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// An authority process: in a thread, behind its socket.
struct Running {
    _folder: tempfile::TempDir,
    socket: PathBuf,
    stop: Stop,
}

impl Running {
    fn start(keys: &[Held]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("krb5.keytab");
        std::fs::write(&path, keytab(keys)).unwrap();
        let tickets = (!keys.is_empty())
            .then(|| Arc::new(KeytabAuthority::open(&path, KeytabOptions::default()).unwrap()) as Arc<dyn Authority>);
        let replays = Arc::new(Replays::in_memory(Arc::new(ReplayCache::new(100))));
        let served = Arc::new(Served(Authorities { accounts: Arc::new(Nobody), tickets, replays }));
        let socket = folder.path().join("authority.sock");
        let server = RemoteServer::bind(&socket, Peers::default()).unwrap();
        let stop = server.stop();
        std::thread::spawn(move || server.run(&(served as Arc<dyn Service>)));
        Self { _folder: folder, socket, stop }
    }

    fn remote(&self) -> Remote {
        Remote::at(&self.socket, PATIENCE)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.stop();
    }
}

#[test]
fn a_ticket_is_opened_elsewhere_as_it_is_here() {
    let running = Running::start(&[Held::http(1), Held::http(2)]);
    let remote = running.remote();
    assert!(remote.opens_tickets().unwrap());
    let key = Held::http(2);
    let here = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(here.path(), keytab(&[key])).unwrap();
    let here = KeytabAuthority::open(here.path(), KeytabOptions::default()).unwrap();
    let question = opening(key.ticket());
    let (near, far) = (here.answer(&question), remote.answer(&question));
    let (Ok(Vouched::Ticket(near)), Ok(Vouched::Ticket(far))) = (near.verdict(), far.verdict()) else {
        panic!("{near:?} {far:?}")
    };
    assert_eq!(near.part().expose(), far.part().expose());
    assert_eq!((near.service(), near.pac()), (far.service(), PacVerdict::Unused));
}

#[test]
fn refusals_cross_with_what_they_rest_on() {
    let running = Running::start(&[Held::http(1)]);
    let remote = running.remote();
    let answer = remote.answer(&opening(Held::http(9).ticket()));
    let denied = answer.denied().unwrap();
    assert_eq!(denied.cause.name(), "kerberos/no-key-version");
    assert!(denied.detail.contains("kvno 9") && denied.detail.contains("kvno 1"), "{}", denied.detail);
    let other = Held { fill: 77, ..Held::http(1) };
    assert_eq!(cause(&remote.answer(&opening(other.ticket()))), "kerberos/ticket-not-decryptable");
    let services = ServiceNames::List(vec!["cifs/web1.corp.example".into()]);
    assert_eq!(cause(&remote.answer(&opening_for(Held::http(1).ticket(), services))), "kerberos/service-not-ours");
    assert_eq!(cause(&remote.answer(&opening(b"no ticket".to_vec()))), "kerberos/malformed-token");
    let confirm = |claim| {
        ConfirmPac::new(
            claim,
            None,
            "HTTP/web1@CORP".into(),
            vec![1],
            PacSignature { checksum_type: 15, checksum: vec![2] },
        )
    };
    let question = Question::ConfirmPac(confirm(Claim::default()));
    assert!(matches!(remote.answer(&question).verdict(), Ok(Vouched::Pac { asked: false })));
    let none = Running::start(&[]);
    assert!(!none.remote().opens_tickets().unwrap());
    assert_eq!(cause(&none.remote().answer(&opening(other.ticket()))), "kerberos/no-keytab");
}

#[test]
fn several_servers_of_one_authority_take_a_token_once() {
    let running = Running::start(&[Held::http(1)]);
    let (now, until) = (SystemTime::now(), SystemTime::now() + Duration::from_secs(300));
    for number in 0..20 {
        let remotes: Vec<_> = (0..8).map(|_| running.remote()).collect();
        let fresh: usize = std::thread::scope(|scope| {
            let asking: Vec<_> = remotes
                .iter()
                .map(|remote| scope.spawn(move || cause(&remote.answer(&seen([number; 16], now, until))) == "ok"))
                .collect();
            asking.into_iter().map(|one| usize::from(one.join().unwrap())).sum()
        });
        assert_eq!(fresh, 1);
    }
    let remote = running.remote();
    for number in 100..180 {
        assert_eq!(cause(&remote.answer(&seen([number; 16], now, until))), "ok");
    }
    let answer = remote.answer(&seen([200; 16], now, until));
    assert_eq!(cause(&answer), "kerberos/replay-cache-full");
    assert_eq!(answer.denied().unwrap().detail, "100 of 100 held");
}

/// Whoever asks says what time it is, and could be a server that was taken over: what others ask about is not forgotten
/// for that.
#[test]
fn the_clock_of_one_server_does_not_make_the_cache_forget() {
    let running = Running::start(&[Held::http(1)]);
    let remote = running.remote();
    let (now, until) = (SystemTime::now(), SystemTime::now() + Duration::from_secs(300));
    assert_eq!(cause(&remote.answer(&seen([1; 16], now, until))), "ok");
    let later = now + Duration::from_secs(3600);
    for number in 10..90 {
        let question = seen([number; 16], later, later + Duration::from_secs(300));
        assert_eq!(cause(&remote.answer(&question)), "ok");
    }
    assert_eq!(cause(&remote.answer(&seen([1; 16], now, until))), "kerberos/replayed");
    assert_eq!(cause(&remote.answer(&seen([2; 16], now, until))), "ok", "and what is new is new");
    // Nor is it filled for good.
    let far = now + Duration::from_secs(1 << 30);
    assert_eq!(cause(&remote.answer(&seen([3; 16], far, far + Duration::from_secs(300)))), "account/not-answered");
}
