//! A server with accounts in memory, and a client that speaks HTTP and NTLM byte by byte.
#![allow(dead_code, reason = "each test uses a part of it")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis::ntlm::{self, keys};
use portcullis::{Account, Answer, Authority, Group, Question, Refusal, password};
use portcullis_authority::settings::HostNames;
use portcullis_server::*;
use portcullis_wire::ntlm::{AuthenticateBuilder, Challenge, Flags, Negotiate};
use portcullis_wire::utf16;
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::oneshot;

/// `ann`/`Passw0rd!` and `bob`/`hunter2`; time does not pass and nobody is locked out.
pub(crate) struct Accounts;

pub(crate) const USERS: &[(&str, &str, &str)] =
    &[("ann", "Passw0rd!", "S-1-5-21-1-2-3-1001"), ("bob", "hunter2", "S-1-5-21-1-2-3-1002")];

impl Authority for Accounts {
    fn answer(&self, question: &Question) -> Answer {
        if question.claim().user() == "unreachable" {
            return question.refuse(Refusal::Unreachable);
        }
        let Some((name, secret, sid)) = USERS.iter().find(|(name, ..)| *name == question.claim().user()) else {
            return question.refuse(Refusal::UnknownAccount);
        };
        let account = Arc::new(Account {
            sid: sid.parse().ok(),
            name: (*name).into(),
            domain: "WEB1".into(),
            dns_domain: String::new(),
            upn: Some(format!("{name}@web1.example")),
            display_name: None,
            mail: None,
            groups: vec![Group { sid: "S-1-5-32-545".parse().unwrap(), name: "Users".into() }],
            logoff_at: None,
            password_expires_at: None,
        });
        match question {
            Question::VerifyNtlm(question) => match ntlm::verify(&keys::nt_hash(secret), question) {
                Some(verified) => question.accept(verified, account),
                None => question.refuse(Refusal::WrongProof),
            },
            Question::VerifyPassword(question) => {
                match password::verify(secret.as_bytes(), question.password.expose().as_bytes()) {
                    Some(verified) => question.accept(verified, account),
                    None => question.refuse(Refusal::WrongProof),
                }
            }
            other => other.refuse(Refusal::NotAnswered),
        }
    }
}

/// Decisions in memory; cannot be written while `broken`.
#[derive(Default)]
pub(crate) struct Decisions {
    pub(crate) made: Mutex<Vec<Decision>>,
    pub(crate) broken: AtomicBool,
}

impl DecisionLog for Decisions {
    fn write(&self, decision: &Decision) -> io::Result<()> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(io::Error::other("disk full"));
        }
        self.made.lock().unwrap().push(decision.clone());
        Ok(())
    }
}

impl Decisions {
    /// `ok` or the cause of each, in order.
    pub(crate) fn causes(&self) -> Vec<&'static str> {
        self.made.lock().unwrap().iter().map(|d| d.refused.map_or("ok", |cause| cause.name())).collect()
    }
}

/// A running server.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) decisions: Arc<Decisions>,
    pub(crate) healthy: Arc<AtomicBool>,
    pub(crate) replacer: Replacer,
    stop: Option<oneshot::Sender<()>>,
    runtime: Option<tokio::runtime::Runtime>,
    done: Option<tokio::task::JoinHandle<()>>,
}

pub(crate) fn service(config: &str, decisions: &Arc<Decisions>, healthy: &Arc<AtomicBool>) -> Service {
    let config = Config::parse(config).unwrap();
    let host = HostNames { netbios: "WEB1".into(), dns: "web1.example".into() };
    let healthy = Arc::clone(healthy);
    Service {
        kerberos: None,
        ntlm: config.settings().ntlm(&host, "WEB1", ""),
        config,
        authority: Arc::new(Threads::new(Arc::new(Accounts), 8, Duration::from_secs(5))),
        decisions: Arc::clone(decisions) as _,
        tls: None,
        terminators: Vec::new(),
        healthy: Arc::new(move || healthy.load(Ordering::SeqCst)),
    }
}

impl Running {
    pub(crate) fn start(config: &str) -> Self {
        Self::start_on(config, Ipv4Addr::LOCALHOST.into())
    }

    pub(crate) fn start_on(config: &str, ip: IpAddr) -> Self {
        let (decisions, healthy) = (Arc::<Decisions>::default(), Arc::new(AtomicBool::new(true)));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let mut server = Server::new(service(config, &decisions, &healthy));
        let _guard = runtime.enter();
        let address = server.bind((ip, 0).into()).unwrap();
        let replacer = server.replacer();
        let (stop, stopped) = oneshot::channel();
        let done = runtime.spawn(server.run(async move { drop(stopped.await) }));
        drop(_guard);
        Self { address, decisions, healthy, replacer, stop: Some(stop), runtime: Some(runtime), done: Some(done) }
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address)
    }

    /// Asks the server to stop; `wait` says when it has.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) fn wait(&mut self) {
        let (runtime, done) = (self.runtime.as_ref().unwrap(), self.done.take().unwrap());
        runtime.block_on(async { tokio::time::timeout(Duration::from_secs(10), done).await.unwrap().unwrap() });
    }

    /// Waits until this many decisions are made.
    pub(crate) fn decided(&self, count: usize) -> Vec<&'static str> {
        for _ in 0..500 {
            let causes = self.decisions.causes();
            if causes.len() >= count {
                return causes;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{:?}, {count} expected", self.decisions.causes());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        self.runtime.take().unwrap().shutdown_timeout(Duration::from_secs(1));
    }
}

/// A client's connection.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) version: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) raw: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn offers(&self) -> Vec<&str> {
        let offers = self.headers.iter().filter(|(name, _)| name == "www-authenticate");
        offers.map(|(_, value)| value.split(' ').next().unwrap()).collect()
    }

    pub(crate) fn json(&self) -> HashMap<String, serde_json::Value> {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.raw))
    }

    pub(crate) fn name(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.raw);
        self.json()["name"].as_str().unwrap().to_owned()
    }

    /// The CHALLENGE of a 401.
    pub(crate) fn challenge(&self) -> Vec<u8> {
        assert_eq!(self.status, 401, "{}", self.raw);
        let token = self.header("www-authenticate").unwrap().strip_prefix("NTLM ");
        STANDARD.decode(token.unwrap_or_else(|| panic!("no challenge: {}", self.raw))).unwrap()
    }
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    pub(crate) fn send(&mut self, text: impl AsRef<[u8]>) {
        self.stream.write_all(text.as_ref()).unwrap();
    }

    /// `GET /` with these header lines, asking for JSON.
    pub(crate) fn get(&mut self, headers: &[&str]) -> Reply {
        self.send(request(headers));
        self.reply()
    }

    pub(crate) fn reply(&mut self) -> Reply {
        self.try_reply().expect("the connection ended")
    }

    /// The next answer; `None` when the connection ended instead.
    pub(crate) fn try_reply(&mut self) -> Option<Reply> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8(self.buffer[..end].to_vec()).unwrap();
                let mut lines = head.split("\r\n");
                let mut first = lines.next().unwrap().split(' ');
                let version = first.next().unwrap().to_owned();
                let status: u16 = first.next().unwrap().parse().unwrap();
                let headers: Vec<_> = lines
                    .map(|line| line.split_once(": ").unwrap())
                    .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                    .collect();
                let length = headers.iter().find(|(name, _)| name == "content-length");
                let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap());
                if status == 100 {
                    self.buffer.drain(..end + 4);
                    continue;
                }
                if self.buffer.len() >= end + 4 + length {
                    let message: Vec<u8> = self.buffer.drain(..end + 4 + length).collect();
                    let raw = String::from_utf8(message).unwrap();
                    return Some(Reply { status, version, headers, body: raw[end + 4..].to_owned(), raw });
                }
            }
            let mut bytes = [0; 16 << 10];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return None,
                Ok(read) => self.buffer.extend_from_slice(&bytes[..read]),
                Err(error) => panic!("{error}; so far {:?}", String::from_utf8_lossy(&self.buffer)),
            }
        }
    }

    /// Whether the server has ended the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.try_reply().is_none()
    }

    /// The three legs, with extra header lines on each; gives the last answer.
    pub(crate) fn logon(&mut self, user: &str, secret: &str, headers: &[&str]) -> Reply {
        let negotiate = authorization(&negotiate());
        let challenge = self.get(&[&[negotiate.as_str()], headers].concat()).challenge();
        let authenticate = authorization(&authenticate(&challenge, user, "", secret));
        self.get(&[&[authenticate.as_str()], headers].concat())
    }
}

pub(crate) fn request(headers: &[&str]) -> String {
    let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    format!("GET / HTTP/1.1\r\nHost: web1.example\r\nAccept: application/json\r\n{lines}\r\n")
}

pub(crate) fn authorization(token: &[u8]) -> String {
    format!("Authorization: NTLM {}", STANDARD.encode(token))
}

pub(crate) fn basic(user: &str, secret: &str) -> String {
    format!("Authorization: Basic {}", STANDARD.encode(format!("{user}:{secret}")))
}

pub(crate) const FLAGS: Flags = Flags(
    Flags::UNICODE.0
        | Flags::REQUEST_TARGET.0
        | Flags::NTLM.0
        | Flags::ALWAYS_SIGN.0
        | Flags::EXTENDED_SESSION_SECURITY.0
        | Flags::KEY_128.0,
);

pub(crate) fn negotiate() -> Vec<u8> {
    let mut token = Vec::new();
    Negotiate::encode(FLAGS, None, None, None, &mut token);
    token
}

/// An NTLMv2 response, as a client without MIC makes it.
pub(crate) fn authenticate(challenge: &[u8], user: &str, domain: &str, secret: &str) -> Vec<u8> {
    let challenge = Challenge::decode(challenge).unwrap();
    let mut blob = vec![1, 1, 0, 0, 0, 0, 0, 0];
    blob.extend_from_slice(&0x01DC_0000_0000_0000_u64.to_le_bytes());
    blob.extend_from_slice(b"clientch\0\0\0\0");
    blob.extend_from_slice(challenge.target_info);
    blob.extend_from_slice(&[0; 4]);
    let key = keys::ntowf_v2(&keys::nt_hash(secret), user, domain);
    let proof = keys::proof_v2(&key, &challenge.server_challenge, &blob);
    let (user, domain, workstation) = (utf16::encode(user), utf16::encode(domain), utf16::encode("PC1"));
    let mut token = Vec::new();
    AuthenticateBuilder {
        nt_response: &[&proof[..], &blob].concat(),
        lm_response: &[0; 24],
        user: &user,
        domain: &domain,
        workstation: &workstation,
        flags: challenge.flags,
        ..AuthenticateBuilder::default()
    }
    .encode(&mut token);
    token
}
