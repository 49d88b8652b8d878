//! Our initiator against acceptors that nobody here wrote: MIT's, Heimdal's and pyspnego's.

use crate::kerberos::services::{HTTP, World};
use crate::peers::Background;
use portcullis::kerberos::Initiator;
use portcullis::{
    Call, ChannelBindings, Context, ContextFlags, Credential, Failure, Handshake, NoRandomness, Secret, Segment,
};
use portcullis::{negotiate, ntlm};
use portcullis_testkit::kdc::{Client, Enctype, MitRealm};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

const SEALED: ContextFlags = ContextFlags(ContextFlags::CONFIDENTIALITY.0 | ContextFlags::INTEGRITY.0);
const MUTUAL: ContextFlags = ContextFlags(SEALED.0 | ContextFlags::MUTUAL_AUTH.0);
const DCE: ContextFlags = ContextFlags(MUTUAL.0 | ContextFlags::USE_DCE_STYLE.0);
const HASH: &[u8] = b"the hash of a certificate";

/// What the acceptor calls us and saw of our wishes, and our context.
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
    _process: Background,
}

impl Acceptor {
    fn start(world: &World, library: &str, besides: &[(&str, &str)]) -> Self {
        let process = world.reference(library, &[&[("PEER_SERVE", "tcp"), ("PEER_NAME", "1")], besides].concat());
        let stream = TcpStream::connect(("127.0.0.1", process.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self { stream, _process: process }
    }

    fn send(&mut self, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        self.stream.write_all(&[&length, payload].concat()).unwrap();
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).unwrap();
        let mut payload = vec![0; u32::from_be_bytes(length) as usize];
        self.stream.read_exact(&mut payload).unwrap();
        payload
    }

    /// Logs on. We count as let in when both sides say so.
    fn log_on(&mut self, credential: &Credential, flags: ContextFlags, hash: Option<&[u8]>) -> Established {
        let channel = hash.map(ChannelBindings::tls_server_end_point);
        let mut waiting = credential.begin();
        let mut token = Vec::new();
        loop {
            let (mut out, mut events) = (Vec::new(), ());
            let mut random = |bytes: &mut [u8]| getrandom(bytes);
            let mut call = Call::new(SystemTime::now(), &mut random, &mut events, &mut out);
            call.want.flags = flags;
            call.target = Some(HTTP);
            call.bindings = channel.as_ref();
            let next = waiting.token(&token, call).map_err(Refused::Here)?;
            if !out.is_empty() {
                self.send(&out);
            }
            match next {
                Handshake::NeedsToken(next) => waiting = next,
                Handshake::Established(context) => return Ok((context, self.verdict(None)?)),
                other => panic!("{other:?}"),
            }
            token = self.receive();
            if token.first().is_some_and(|first| *first <= 1) {
                // It is through before we are.
                return Err(Refused::There(self.verdict(Some(token))?));
            }
        }
    }

    fn verdict(&mut self, said: Option<Vec<u8>>) -> Result<String, Refused> {
        let said = said.unwrap_or_else(|| self.receive());
        let text = String::from_utf8_lossy(&said[1..]).into_owned();
        if said[0] == 0 { Ok(text) } else { Err(Refused::There(text)) }
    }

    /// Asks for an answer to a message of this kind.
    fn ask<const COUNT: usize>(&mut self, kind: u8, pieces: [&[u8]; COUNT]) -> [Vec<u8>; COUNT] {
        let mut message = vec![kind];
        for piece in pieces {
            message.extend_from_slice(&u32::try_from(piece.len()).unwrap().to_be_bytes());
            message.extend_from_slice(piece);
        }
        self.send(&message);
        let answer = self.receive();
        assert_eq!(answer[0], kind, "{}", String::from_utf8_lossy(&answer[1..]));
        let mut rest = &answer[1..];
        [(); COUNT].map(|()| {
            let (length, behind) = rest.split_first_chunk().unwrap();
            let (piece, behind) = behind.split_at(u32::from_be_bytes(*length) as usize);
            rest = behind;
            piece.to_vec()
        })
    }

    /// Signs and seals messages of several lengths, both ways.
    fn exchange(&mut self, context: &mut Context, dce: bool) {
        for size in [0, 1, 15, 16, 17, 1000, 65536] {
            let text: Vec<u8> = (0..size).map(|at: usize| (at * 7) as u8).collect();
            let back: Vec<u8> = text.iter().rev().copied().collect();
            let mut token = vec![0; context.facts().sizes.max_signature as usize];
            let length = context.sign(&mut [Segment::SignOnly(&text), Segment::Token(&mut token)]).unwrap();
            let [mut token, answer] = self.ask(b'S', [&token[..length], &text]);
            assert_eq!(answer, back);
            context.verify(&mut [Segment::SignOnly(&back), Segment::Token(&mut token)]).unwrap();

            let mut token = vec![0; context.facts().sizes.security_trailer as usize];
            let (head, mut sealed) = (b"head".to_vec(), text.clone());
            let parts = &mut [Segment::Token(&mut token), Segment::SignOnly(&head), Segment::Data(&mut sealed)];
            let length = context.seal(parts).unwrap();
            let [mut token, head, mut sealed] = self.ask(b'M', [&token[..length], &head, &sealed]);
            let parts = &mut [Segment::Token(&mut token), Segment::SignOnly(&head), Segment::Data(&mut sealed)];
            assert!(context.unseal(parts).unwrap().enciphered);
            assert_eq!((&head[..], &sealed), (&b"daeh"[..], &back));

            // Wrap tokens in DCE style differ between libraries: RPC has none.
            for (kind, enciphered) in [(b'E', true), (b'P', false)].into_iter().filter(|_| !dce) {
                let mut wrapped = Vec::new();
                context.wrap(&text, enciphered, &mut wrapped).unwrap();
                let [mut answer] = self.ask(kind, [&wrapped]);
                let opened = context.unseal(&mut [Segment::Stream(&mut answer)]).unwrap();
                assert_eq!(opened.enciphered, enciphered);
                assert_eq!(answer[opened.data.unwrap()], back);
            }
        }
    }
}

fn getrandom(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(bytes)).map_err(|_| NoRandomness)
}

/// The tickets of this client, with the service's among them, in SPNEGO or without.
fn tickets(client: &Client, spnego: bool) -> Credential {
    client.ticket(HTTP).unwrap();
    let kerberos = Initiator::from_ccache(&std::fs::read(client.cache()).unwrap()).unwrap();
    if !spnego {
        return Credential::initiator(kerberos);
    }
    let ntlm = ntlm::Initiator::with_password("alice", "MIT", &Secret::new("a guess".to_owned()));
    Credential::initiator(negotiate::Initiator::trying([kerberos.into(), ntlm.into()]))
}

#[test]
fn alice_is_let_in_and_signs_and_seals() {
    for enctype in [Enctype::Aes256Sha1, Enctype::Aes128Sha2] {
        let world = World::with(&[enctype]);
        for library in ["gssapi", "heimdal", "pyspnego"] {
            if library == "heimdal" && enctype == Enctype::Aes128Sha2 {
                continue; // Heimdal 7 has no keys of RFC 8009
            }
            for spnego in [true, false] {
                let credential = tickets(&world.alice, spnego);
                for flags in [SEALED, MUTUAL, DCE] {
                    if library == "pyspnego" && flags == DCE && !spnego {
                        continue; // its acceptor takes no third leg without SPNEGO
                    }
                    let mut acceptor = Acceptor::start(&world, library, &[]);
                    let (mut context, name) = acceptor.log_on(&credential, flags, None).unwrap_or_else(|why| {
                        panic!("{library}, {enctype:?}, {flags:?}, SPNEGO {spnego}: {why:?}");
                    });
                    assert!(name.starts_with("alice@MIT.EXAMPLE "), "{name}");
                    assert_eq!(name.contains("MUTUAL_AUTH"), flags != SEALED, "{name}");
                    assert_eq!(name.contains("USE_DCE_STYLE"), flags == DCE, "{name}");
                    assert!(context.facts().granted.contains(flags), "{:?}", context.facts().granted);
                    acceptor.exchange(&mut context, flags == DCE);
                }
            }
        }
    }
}

#[test]
fn the_channel_is_bound() {
    let world = World::new();
    let data: String = b"tls-server-end-point:".iter().chain(HASH).map(|byte| format!("{byte:02x}")).collect();
    for library in ["gssapi", "heimdal"] {
        for spnego in [true, false] {
            let credential = tickets(&world.alice, spnego);
            let ask = |bindings| {
                Acceptor::start(&world, library, &[("PEER_DATA", &data)]).log_on(&credential, MUTUAL, bindings)
            };
            let (_, name) = ask(Some(HASH)).unwrap();
            // Heimdal 7 does not say so.
            assert_eq!(name.contains("BOUND"), library == "gssapi", "{library}: {name}");
            let wrong = ask(Some(b"the hash of another"));
            assert!(wrong.is_err(), "{library} takes the bindings to another channel");
            let (_, name) = ask(None).unwrap();
            assert!(!name.contains("BOUND"), "{library}: {name}");
        }
    }
}

#[test]
fn tickets_are_forwarded_to_whom_they_are_meant_for() {
    let world = World::new();
    for library in ["gssapi", "heimdal"] {
        let credential = tickets(&world.alice, true);
        for (flags, forwarded) in [(MUTUAL, false), (MUTUAL | ContextFlags::DELEGATE, true)] {
            let (_, name) = Acceptor::start(&world, library, &[]).log_on(&credential, flags, None).unwrap();
            assert_eq!(name.contains("DELEGATE"), forwarded, "{library}: {name}");
        }
    }
}

/// Whoever has other keys than the service cannot read the ticket, and cannot prove to be the service either.
#[test]
fn a_server_with_other_keys() {
    let (world, other) = (World::new(), World::new());
    let credential = tickets(&world.alice, true);
    for library in ["gssapi", "heimdal"] {
        let refused = Acceptor::start(&other, library, &[]).log_on(&credential, MUTUAL, None).map(|(_, name)| name);
        match refused {
            Err(Refused::There(why)) => assert!(!why.is_empty(), "{library} says nothing"),
            Err(Refused::Here(why)) => panic!("{library} would have let us in: {why}"),
            Ok(name) => panic!("{library} let {name} in"),
        }
    }
    let stranger = world.realm.client();
    stranger.log_on(MitRealm::BOB, MitRealm::PASSWORD).unwrap();
    let (_, name) = Acceptor::start(&world, "gssapi", &[]).log_on(&tickets(&stranger, false), MUTUAL, None).unwrap();
    assert!(name.starts_with("bob/admin@MIT.EXAMPLE "), "{name}");
}
