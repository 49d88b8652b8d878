//! Our initiator against acceptors that nobody here wrote: pyspnego, MIT's SPNEGO over gss-ntlmssp, Samba's ntlm_auth.

use crate::peers;
use portcullis::{
    Call, ChannelBindings, Context, ContextFlags, Credential, Failure, Handshake, NoRandomness, Secret, Segment,
    negotiate, ntlm,
};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

const USER: &str = "User";
const DOMAIN: &str = "DOMAIN";
const PASSWORD: &str = "Passwörd 7";

/// What the acceptor said in the end, and our context.
type Established = Result<(Context, String), Refused>;

#[derive(Debug)]
enum Refused {
    /// By the acceptor, with its reason.
    There(String),
    /// By us.
    Here(Failure),
}

struct Acceptor {
    stream: TcpStream,
    _process: peers::Background,
}

impl Acceptor {
    fn start(library: &str, package: &str, besides: &[(&str, &str)]) -> Self {
        let account = [("PEER_USER", USER), ("PEER_DOMAIN", DOMAIN), ("PEER_PASSWORD", PASSWORD)];
        let process = peers::acceptor(library, package, &[&account, besides].concat());
        let stream = TcpStream::connect(("127.0.0.1", process.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self { stream, _process: process }
    }

    fn send(&mut self, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        self.stream.write_all(&[&length, payload].concat()).unwrap();
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let mut payload = vec![0; u32::from_be_bytes(length) as usize];
        self.stream.read_exact(&mut payload)?;
        Ok(payload)
    }

    /// Logs on. The acceptor counts as having let us in when both sides say so.
    fn log_on(&mut self, credential: &Credential, channel: Option<&ChannelBindings>) -> Established {
        let mut waiting = credential.begin();
        let mut token = Vec::new();
        loop {
            let (mut out, mut events) = (Vec::new(), ());
            let mut random = |bytes: &mut [u8]| getrandom(bytes);
            let mut call = Call::new(SystemTime::now(), &mut random, &mut events, &mut out);
            call.want.flags = ContextFlags::CONFIDENTIALITY | ContextFlags::INTEGRITY;
            call.target = Some("HTTP/web1.domain.example");
            call.bindings = channel;
            let next = waiting.token(&token, call).map_err(Refused::Here)?;
            if !out.is_empty() {
                self.send(&out);
            }
            match next {
                Handshake::NeedsToken(next) => waiting = next,
                Handshake::Established(context) => return self.verdict().map(|name| (context, name)),
                other => panic!("{other:?}"),
            }
            token = match self.receive().unwrap().split_first() {
                Some((b'T', token)) => token.to_vec(),
                Some((1, why)) => return Err(Refused::There(String::from_utf8_lossy(why).into_owned())),
                other => panic!("{other:?}"),
            };
        }
    }

    fn verdict(&mut self) -> Result<String, Refused> {
        let said = self.receive().unwrap();
        let text = String::from_utf8_lossy(&said[1..]).into_owned();
        match said[0] {
            0 => Ok(text),
            _ => Err(Refused::There(text)),
        }
    }

    /// Signs and seals messages of several lengths, both ways.
    fn exchange(&mut self, context: &mut Context) {
        for size in [1, 15, 16, 17, 1000, 65536] {
            let text: Vec<u8> = (0..size).map(|at: usize| (at * 7) as u8).collect();
            let back: Vec<u8> = text.iter().rev().copied().collect();
            let mut signature = [0; 16];
            context.sign(&mut [Segment::SignOnly(&text), Segment::Token(&mut signature)]).unwrap();
            self.send(&[b"S", &signature[..], &text].concat());
            let answer = self.receive().unwrap();
            assert_eq!((answer[0], &answer[17..]), (b'S', &back[..]), "{}", String::from_utf8_lossy(&answer[1..]));
            signature.copy_from_slice(&answer[1..17]);
            context.verify(&mut [Segment::SignOnly(&back), Segment::Token(&mut signature)]).unwrap();

            let mut sealed = text.clone();
            context.seal(&mut [Segment::Data(&mut sealed), Segment::Token(&mut signature)]).unwrap();
            self.send(&[b"E", &signature[..], &sealed].concat());
            let answer = self.receive().unwrap();
            assert_eq!(answer[0], b'E', "{}", String::from_utf8_lossy(&answer[1..]));
            signature.copy_from_slice(&answer[1..17]);
            let mut sealed = answer[17..].to_vec();
            context.unseal(&mut [Segment::Data(&mut sealed), Segment::Token(&mut signature)]).unwrap();
            assert_eq!(sealed, back);
        }
    }
}

fn getrandom(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(bytes)).map_err(|_| NoRandomness)
}

fn ann(password: &str) -> ntlm::Initiator {
    ntlm::Initiator::with_password(USER, DOMAIN, &Secret::new(password.to_owned()))
}

fn credential(package: &str, ntlm: ntlm::Initiator) -> Credential {
    match package {
        "NTLM" => Credential::initiator(ntlm),
        _ => Credential::initiator(negotiate::Initiator::trying([ntlm.into()])),
    }
}

fn logs_on_and_exchanges(library: &str) {
    for package in ["NTLM", "Negotiate"] {
        let mut acceptor = Acceptor::start(library, package, &[]);
        let (mut context, name) = acceptor.log_on(&credential(package, ann(PASSWORD)), None).unwrap();
        assert!(name.to_lowercase().contains("user"), "{name}");
        let facts = context.facts();
        assert_eq!((facts.package.name, facts.mechanism().name, facts.version), (package, "NTLM", "NTLMv2"));
        assert!(facts.account.is_none() && facts.access_token().is_none());
        assert!(facts.granted.contains(ContextFlags::CONFIDENTIALITY | ContextFlags::INTEGRITY));
        assert!(!facts.granted.contains(ContextFlags::MUTUAL_AUTH));
        acceptor.exchange(&mut context);
    }
}

fn is_refused(library: &str) {
    for package in ["NTLM", "Negotiate"] {
        for (user, password) in [(USER, "Passwörd 8"), ("Other", PASSWORD)] {
            let mut acceptor = Acceptor::start(library, package, &[]);
            let wrong = ntlm::Initiator::with_password(user, DOMAIN, &Secret::new(password.to_owned()));
            let refused = acceptor.log_on(&credential(package, wrong), None);
            // By its reason, or by a reject token that our side reads first.
            match refused {
                Err(Refused::There(_)) => {}
                Err(Refused::Here(failure)) => assert_eq!(failure.cause.name(), "negotiate/rejected-by-peer"),
                Ok(_) => panic!("{package} {user}: let in"),
            }
        }
    }
}

#[test]
fn pyspnego_lets_us_in_and_understands_our_messages() {
    logs_on_and_exchanges("pyspnego");
}

#[test]
fn pyspnego_refuses_a_wrong_password() {
    is_refused("pyspnego");
}

#[test]
fn gss_ntlmssp_lets_us_in_and_understands_our_messages() {
    logs_on_and_exchanges("gssapi");
}

#[test]
fn gss_ntlmssp_refuses_a_wrong_password() {
    is_refused("gssapi");
}

#[test]
fn samba_lets_us_in() {
    for package in ["NTLM", "Negotiate"] {
        let mut acceptor = Acceptor::start("ntlm_auth", package, &[]);
        let (_, name) = acceptor.log_on(&credential(package, ann(PASSWORD)), None).unwrap();
        assert!(name.to_lowercase().contains("user"), "{name}");
    }
}

#[test]
fn samba_refuses_a_wrong_password() {
    for package in ["NTLM", "Negotiate"] {
        let mut acceptor = Acceptor::start("ntlm_auth", package, &[]);
        let refused = acceptor.log_on(&credential(package, ann("Passwörd 8")), None);
        match refused {
            Err(Refused::There(why)) => {
                assert!(why.contains("LOGON_FAILURE") || why.contains("WRONG_PASSWORD"), "{why}")
            }
            Err(Refused::Here(failure)) => assert_eq!(failure.cause.name(), "negotiate/rejected-by-peer"),
            Ok(_) => panic!("let in with a wrong password"),
        }
    }
}

/// pyspnego compares bindings where its side has a channel; a client without one it lets in.
#[test]
fn we_are_bound_to_the_channel_that_we_are_told() {
    let channel = |name: &str| ChannelBindings { application_data: name.as_bytes().to_vec(), ..Default::default() };
    let (ours, other) = (channel("tls-server-end-point:ours"), channel("tls-server-end-point:other"));
    for package in ["NTLM", "Negotiate"] {
        for (told, let_in) in [(Some(&ours), true), (Some(&other), false), (None, true)] {
            let mut acceptor = Acceptor::start("pyspnego", package, &[("PEER_CHANNEL", "tls-server-end-point:ours")]);
            let result = acceptor.log_on(&credential(package, ann(PASSWORD)), told);
            assert_eq!(result.is_ok(), let_in, "{package} {told:?}: {result:?}");
        }
    }
}

#[test]
fn the_nt_hash_is_as_good_as_the_password() {
    let hash = ntlm::keys::nt_hash(PASSWORD);
    let mut acceptor = Acceptor::start("pyspnego", "Negotiate", &[]);
    let ann = ntlm::Initiator::with_nt_hash(USER, DOMAIN, hash);
    acceptor.log_on(&credential("Negotiate", ann), None).unwrap();
}
