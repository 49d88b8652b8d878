//! What a stream's contexts and Schannel's credentials answer: they have states that others have not, and other buffers.

use crate::document::{Row, Section};
use crate::sspi::{DATA, Function, INBOUND, OUTBOUND, SecBuffer, SecBufferDesc, SecHandle, TOKEN, at};
use crate::world::{CONTINUE_NEEDED, Fixture, Kind, State, World};
use base64::Engine as _;
use portcullis_testkit::tls::Ca;
use std::fs;
use std::path::Path;

pub const PACKAGE: &str = "Schannel";

const HERE: &str = crate::HERE;
const STREAMS: &str = "c_programs::schannel::streams";
const ENDED: &str = "SCHANNEL_SHUTDOWN was applied";

/// Part of a configuration: a server's certificate, and whom a client believes. TLS 1.2 has whole flights alone.
pub fn configuration(folder: &Path) -> String {
    let authority = Ca::new("authority");
    let leaf = authority.server(&["server.corp.example"]);
    let write = |name: &str, label: &str, der: &[u8]| {
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let pem = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"));
        fs::write(folder.join(name), pem).unwrap();
        folder.join(name)
    };
    let cert = write("server.pem", "CERTIFICATE", &leaf.certificate);
    let key = write("server.key", "PRIVATE KEY", &leaf.key);
    let ca = write("ca.pem", "CERTIFICATE", &authority.certificate());
    format!("[tls]\ncert = {cert:?}\nkey = {key:?}\nserver_ca = {ca:?}\nversions = [\"1.2\"]\n")
}

/// A credential, as the configuration says.
fn credential(world: &World, direction: usize) -> SecHandle {
    let mut credential = SecHandle::INVALID;
    assert_eq!(world.library.acquire(PACKAGE, direction, 0, &mut credential), 0);
    credential
}

/// A credential in a state.
pub fn of_kind(world: &World, kind: Kind) -> Fixture {
    let made = credential(world, if kind == Kind::Outbound { OUTBOUND } else { INBOUND });
    Fixture { handle: Some(made), credential: made, token: Vec::new(), peer: None }
}

/// A context in a state that streams have, too.
pub fn context(world: &World, state: State) -> Fixture {
    let (inbound, outbound) = (credential(world, INBOUND), credential(world, OUTBOUND));
    let made = |credential, handle: SecHandle, token: &[u8], peer| Fixture {
        handle: Some(handle),
        credential,
        token: token.to_vec(),
        peer,
    };
    let hello = world.initialize(outbound, None, &[]);
    let answer = world.accept(inbound, None, &hello.token);
    let (client, server) = (hello.context, answer.context);
    assert_eq!((hello.status, answer.status), (CONTINUE_NEEDED, CONTINUE_NEEDED));
    match state {
        State::HalfOpenInitiator => return made(outbound, client, &answer.token, Some(server)),
        State::FailedInitiator => {
            assert!(world.initialize(outbound, Some(client), b"no record").status >> 31 == 1);
            return made(outbound, client, &answer.token, None);
        }
        State::FailedAcceptor => {
            assert!(world.accept(inbound, Some(server), b"no record").status >> 31 == 1);
            return made(inbound, server, &answer.token, None);
        }
        _ => {}
    }
    let keys = world.initialize(outbound, Some(client), &answer.token);
    if state == State::HalfOpenAcceptor {
        return made(inbound, server, &keys.token, Some(client));
    }
    let last = world.accept(inbound, Some(server), &keys.token);
    assert_eq!((last.status, world.initialize(outbound, Some(client), &last.token).status), (0, 0));
    match state {
        State::Acceptor => made(inbound, server, &[], Some(client)),
        State::Initiator => made(outbound, client, &[], Some(server)),
        _ => panic!("streams have no {state:?}"),
    }
}

fn buffers_of(buffers: &mut [SecBuffer], call: impl FnOnce(usize) -> u32) -> u32 {
    call(at(&mut SecBufferDesc::new(buffers)))
}

const HEADER: u32 = 7;
const TRAILER: u32 = 6;

/// Seals five bytes into a record of TLS 1.2 under AES-GCM.
fn seal(function: Function, context: &mut SecHandle, record: &mut [u8; 34]) -> u32 {
    record[13..18].copy_from_slice(b"hello");
    let (header, rest) = record.split_at_mut(13);
    let (data, trailer) = rest.split_at_mut(5);
    let mut buffers = [SecBuffer::new(HEADER, header), SecBuffer::new(DATA, data), SecBuffer::new(TRAILER, trailer)];
    buffers_of(&mut buffers, |message| function.call(&[at(context), 0, message, 0]))
}

fn open(function: Function, context: &mut SecHandle, record: &mut [u8]) -> u32 {
    let empty = SecBuffer { len: 0, kind: 0, at: std::ptr::null_mut() };
    let mut buffers = [SecBuffer::new(DATA, record), empty, empty, empty];
    buffers_of(&mut buffers, |message| function.call(&[at(context), message, 0, 0]))
}

fn control(world: &World, function: Function, on: &mut Fixture, numbers: &[u32]) -> u32 {
    let _ = world;
    let mut token: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let mut buffers = [SecBuffer::new(TOKEN, &mut token)];
    buffers_of(&mut buffers, |message| function.call(&[on.at(), message]))
}

/// A function, how it is called with a stream, and what says so.
struct Family {
    exports: &'static [&'static str],
    about: &'static str,
    call: fn(&World, Function, bool, &mut Fixture) -> u32,
    documented: &'static [&'static str],
    source: &'static str,
}

const STATES: [(Option<State>, &str); 7] = [
    (Some(State::HalfOpenAcceptor), "acceptor, half-open"),
    (Some(State::FailedAcceptor), "acceptor, failed"),
    (Some(State::Acceptor), "acceptor, established"),
    (Some(State::HalfOpenInitiator), "initiator, half-open"),
    (Some(State::FailedInitiator), "initiator, failed"),
    (Some(State::Initiator), "initiator, established"),
    (None, ENDED),
];

const NO_KEYS: &[&str] = &["SEC_E_UNSUPPORTED_FUNCTION", "SEC_E_INVALID_HANDLE"];

const FAMILIES: &[Family] = &[
    Family {
        exports: &["AcceptSecurityContext"],
        about: "A later leg. On a context that is established it gives what the protocol has to send of its own; where there is \
            nothing, it would be a renegotiation.",
        call: |world, function, _, on| world.accept_by(function, Some(on.credential), on.handle, &on.token).status,
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE", "SEC_E_UNSUPPORTED_FUNCTION"],
        source: "`AcceptSecurityContext (Schannel)`",
    },
    Family {
        exports: &["InitializeSecurityContextA", "InitializeSecurityContextW"],
        about: "Likewise.",
        call: |world, function, wide, on| {
            world.initialize_by(function, wide, Some(on.credential), on.handle, &on.token).status
        },
        documented: &["SEC_E_OK", "SEC_I_CONTINUE_NEEDED", "SEC_E_INVALID_HANDLE", "SEC_E_UNSUPPORTED_FUNCTION"],
        source: "`InitializeSecurityContext (Schannel)`",
    },
    Family {
        exports: &["CompleteAuthToken"],
        about: "",
        call: |_, function, _, on| function.call(&[on.at(), 0]),
        documented: NO_KEYS,
        source: "`CompleteAuthToken`: Digest alone",
    },
    Family {
        exports: &["ApplyControlToken"],
        about: "SCHANNEL_SHUTDOWN.",
        call: |world, function, _, on| control(world, function, on, &[1]),
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE", "SEC_E_UNSUPPORTED_FUNCTION"],
        source: "`ApplyControlToken`; *ours*: a handshake that is not through is deleted, not shut down",
    },
    Family {
        exports: &["DeleteSecurityContext"],
        about: "",
        call: |_, function, _, on| function.call(&[on.at()]),
        documented: &["SEC_E_OK"],
        source: "`DeleteSecurityContext`",
    },
    Family {
        exports: &[
            "QueryContextAttributesA",
            "QueryContextAttributesW",
            "QueryContextAttributesExA",
            "QueryContextAttributesExW",
        ],
        about: "SECPKG_ATTR_STREAM_SIZES.",
        call: |_, function, _, on| {
            let mut value = [0_u64; 64];
            function.call(&[on.at(), 4, at(&mut value), size_of_val(&value)])
        },
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE"],
        source: "`QueryContextAttributes (Schannel)`",
    },
    Family {
        exports: &["MakeSignature"],
        about: "",
        call: |_, function, _, on| {
            let (mut signature, mut data) = ([0; 16], *b"hello");
            let mut buffers = [SecBuffer::new(TOKEN, &mut signature), SecBuffer::new(DATA, &mut data)];
            buffers_of(&mut buffers, |message| function.call(&[on.at(), 0, message, 0]))
        },
        documented: NO_KEYS,
        source: "`MakeSignature`: not of Schannel",
    },
    Family {
        exports: &["VerifySignature"],
        about: "",
        call: |_, function, _, on| {
            let (mut signature, mut data) = ([0; 16], *b"hello");
            let mut buffers = [SecBuffer::new(TOKEN, &mut signature), SecBuffer::new(DATA, &mut data)];
            buffers_of(&mut buffers, |message| function.call(&[on.at(), message, 0, 0]))
        },
        documented: NO_KEYS,
        source: "`VerifySignature`: not of Schannel",
    },
    Family {
        exports: &["EncryptMessage", "SealMessage"],
        about: "STREAM_HEADER, DATA and STREAM_TRAILER.",
        call: |_, function, _, on| {
            let mut handle = on.handle.unwrap_or(SecHandle::INVALID);
            seal(function, &mut handle, &mut [0; 34])
        },
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE", "SEC_E_CONTEXT_EXPIRED"],
        source: "`EncryptMessage (Schannel)`",
    },
    Family {
        exports: &["DecryptMessage", "UnsealMessage"],
        about: "A record of the peer's, in DATA and three EMPTY buffers.",
        call: |world, function, _, on| {
            let (mut record, mut peer) = ([0; 34], on.peer.unwrap_or(SecHandle::INVALID));
            // A peer that is half-open has no keys yet.
            if seal(world.function("EncryptMessage"), &mut peer, &mut record) != 0 {
                record = [0; 34];
            }
            let mut handle = on.handle.unwrap_or(SecHandle::INVALID);
            open(function, &mut handle, &mut record)
        },
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE"],
        source: "`DecryptMessage (Schannel)`",
    },
    Family {
        exports: &["ExportSecurityContext"],
        about: "",
        call: |_, function, _, on| {
            let mut packed = SecBuffer { len: 0, kind: 0, at: std::ptr::null_mut() };
            function.call(&[on.at(), 0, at(&mut packed), 0])
        },
        documented: NO_KEYS,
        source: "*ours*: keys of a connection that another process cannot have",
    },
    Family {
        exports: &["QuerySecurityContextToken"],
        about: "A client without a certificate.",
        call: |_, function, _, on| {
            let mut token = 0_usize;
            function.call(&[on.at(), at(&mut token)])
        },
        documented: &["SEC_E_INVALID_HANDLE", "SEC_E_NO_IMPERSONATION"],
        source: "`AcceptSecurityContext (Schannel)`: only a certificate that is some account's makes a token",
    },
];

/// Every function, for streams.
pub fn sections(world: &World) -> Vec<Section> {
    FAMILIES.iter().map(|family| family.section(world)).chain([beside(world)]).collect()
}

impl Family {
    fn section(&self, world: &World) -> Section {
        let rows = STATES.iter().map(|(state, case)| Row {
            case: (*case).to_owned(),
            statuses: vec![self.called(world, *state)],
            source: self.source.to_owned(),
            tests: vec![HERE, STREAMS],
        });
        Section {
            exports: self.exports.to_vec(),
            part: "a stream (Schannel)",
            about: self.about,
            by: "context",
            columns: vec![PACKAGE],
            documented: self.documented,
            rows: rows.collect(),
        }
    }

    fn called(&self, world: &World, state: Option<State>) -> u32 {
        let mut statuses = self.exports.iter().map(|name| {
            let mut on = context(world, state.unwrap_or(State::Acceptor));
            if state.is_none() {
                assert_eq!(control(world, world.function("ApplyControlToken"), &mut on, &[1]), 0);
            }
            (self.call)(world, world.function(name), name.ends_with('W'), &mut on)
        });
        let first = statuses.next().unwrap();
        assert!(statuses.all(|status| status == first), "{:?} differ for {state:?}", self.exports);
        first
    }
}

/// What comes in pieces, and what is asked for in vain.
fn beside(world: &World) -> Section {
    type Call = fn(&World, Function) -> u32;
    let cases: [(&str, Call, &str); 6] = [
        (
            "first leg, three bytes of a hello",
            |world, _| world.accept(credential(world, INBOUND), None, &[22, 3, 1]).status,
            "`AcceptSecurityContext (Schannel)`: SEC_E_INCOMPLETE_MESSAGE; there is no context then",
        ),
        (
            "first leg, HTTP",
            |world, _| world.accept(credential(world, INBOUND), None, b"GET / HTTP/1.1\r\n\r\n").status,
            "`AcceptSecurityContext (Schannel)`: SEC_E_INVALID_TOKEN",
        ),
        (
            "first leg, ASC_REQ_DELEGATE",
            |world, function| first_leg(world, function, 1, 0),
            "`AcceptSecurityContext (Schannel)`: SEC_E_UNSUPPORTED_FUNCTION",
        ),
        (
            "first leg, another TargetDataRep",
            |world, function| first_leg(world, function, 0, 7),
            "`AcceptSecurityContext (General)`: zero for Schannel; *ours*: or SECURITY_NATIVE_DREP, as most programs say",
        ),
        (
            "first leg, ASC_REQ_MUTUAL_AUTH without authorities",
            |world, function| first_leg(world, function, 2, 0),
            "*ours*: nobody could be believed",
        ),
        (
            "later leg, less than a record",
            |world, _| {
                let on = context(world, State::HalfOpenAcceptor);
                world.accept(on.credential, on.handle, &on.token[..7]).status
            },
            "`AcceptSecurityContext (Schannel)`: SEC_E_INCOMPLETE_MESSAGE",
        ),
    ];
    let function = world.function("AcceptSecurityContext");
    let rows = cases.iter().map(|(case, call, source)| Row {
        case: (*case).to_owned(),
        statuses: vec![call(world, function)],
        source: (*source).to_owned(),
        tests: vec![HERE, STREAMS],
    });
    Section {
        exports: vec!["AcceptSecurityContext"],
        part: "what a stream is given",
        about: "",
        by: "case",
        columns: vec![PACKAGE],
        documented: &[
            "SEC_E_INCOMPLETE_MESSAGE",
            "SEC_E_INVALID_PARAMETER",
            "SEC_E_INVALID_TOKEN",
            "SEC_E_NO_CREDENTIALS",
            "SEC_E_UNSUPPORTED_FUNCTION",
        ],
        rows: rows.collect(),
    }
}

fn first_leg(world: &World, function: Function, flags: usize, representation: usize) -> u32 {
    let mut inbound = credential(world, INBOUND);
    let mut hello = world.initialize(credential(world, OUTBOUND), None, &[]).token;
    let mut room = vec![0; 1 << 16];
    let (mut inputs, mut outputs) = ([SecBuffer::new(TOKEN, &mut hello)], [SecBuffer::new(TOKEN, &mut room)]);
    let (mut input, mut output) = (SecBufferDesc::new(&mut inputs), SecBufferDesc::new(&mut outputs));
    let mut new = SecHandle::INVALID;
    let (input, output) = (at(&mut input), at(&mut output));
    function.call(&[at(&mut inbound), 0, input, flags, representation, at(&mut new), output, 0, 0])
}
