//! A library with a store of one account, and contexts and credentials of it in every state.

use crate::sspi::{DATA, Function, INBOUND, Library, OUTBOUND, SecBuffer, SecBufferDesc, SecHandle, TOKEN, at, bytes};
use portcullis_authority::{
    AccountEdit, Directory, DomainNames, LocalNames, LockoutPolicy, NewAccount, NewSecret, Policy, Store as _,
    bootstrap,
};
use std::path::PathBuf;
use tempfile::TempDir;

pub const PACKAGES: [&str; 2] = ["NTLM", "Negotiate"];
pub const USER: &str = "ann";
pub const DOMAIN: &str = "CORP";
pub const PASSWORD: &str = "Correct-Horse-1";
pub const WRONG: &str = "guess";

/// Where a context stands that a function is called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    None,
    Garbage,
    Deleted,
    WrongKind,
    HalfOpenAcceptor,
    CompleteNeeded,
    FailedAcceptor,
    Acceptor,
    ImportedAcceptor,
    HalfOpenInitiator,
    FailedInitiator,
    Initiator,
    ImportedInitiator,
}

impl State {
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::None, "no handle: NULL"),
        (Self::Garbage, "garbage"),
        (Self::Deleted, "deleted before"),
        (Self::WrongKind, "a credential's handle"),
        (Self::HalfOpenAcceptor, "acceptor, half-open"),
        (Self::CompleteNeeded, "acceptor, COMPLETE_NEEDED"),
        (Self::FailedAcceptor, "acceptor, failed"),
        (Self::Acceptor, "acceptor, established"),
        (Self::ImportedAcceptor, "acceptor, imported"),
        (Self::HalfOpenInitiator, "initiator, half-open"),
        (Self::FailedInitiator, "initiator, failed"),
        (Self::Initiator, "initiator, established"),
        (Self::ImportedInitiator, "initiator, imported"),
    ];
}

/// What a credential is for that a function is called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    None,
    Garbage,
    Freed,
    OfContext,
    Inbound,
    Outbound,
    Both,
}

impl Kind {
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::None, "no handle: NULL"),
        (Self::Garbage, "garbage"),
        (Self::Freed, "freed before"),
        (Self::OfContext, "a context's handle"),
        (Self::Inbound, "inbound"),
        (Self::Outbound, "outbound"),
        (Self::Both, "both"),
    ];
}

/// A handle in a state, with what a plausible call needs beside it.
pub struct Fixture {
    pub handle: Option<SecHandle>,
    /// The credential that it began with.
    pub credential: SecHandle,
    /// The peer's next token, or some token.
    pub token: Vec<u8>,
    /// The peer's context, where there is one.
    pub peer: Option<SecHandle>,
}

impl Fixture {
    /// The handle's address for a call.
    pub fn at(&mut self) -> usize {
        self.handle.as_mut().map_or(0, at)
    }
}

pub struct World {
    pub library: Library,
    pub data: TempDir,
    /// Flags that both sides ask for beside the others.
    pub style: usize,
}

/// A leg's answer.
pub struct Leg {
    pub status: u32,
    pub context: SecHandle,
    pub token: Vec<u8>,
}

/// SEC_I_CONTINUE_NEEDED and SEC_I_COMPLETE_NEEDED.
pub const CONTINUE_NEEDED: u32 = 0x0009_0312;
pub const COMPLETE_NEEDED: u32 = 0x0009_0313;

/// ISC_REQ_CONFIDENTIALITY and _INTEGRITY.
const ISC_WANTED: usize = 0x0001_0010;
/// ASC_REQ_CONFIDENTIALITY and _INTEGRITY.
const ASC_WANTED: usize = 0x0002_0010;

const GARBAGE: SecHandle = SecHandle { lower: 0x1234_5678_9ABC, upper: 0xDEAD_BEEF };

impl World {
    /// `compatibility` stands below `[compatibility]` in the configuration.
    pub fn new(library: &std::path::Path, compatibility: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("data");
        bootstrap(&folder, &DomainNames::new(DOMAIN, "corp.example").unwrap(), None).unwrap();
        let directory = Directory::open_sqlite(&folder, LocalNames::default()).unwrap();
        let secret = NewSecret::Password(PASSWORD.to_owned().into());
        let account = NewAccount { name: USER.into(), secret, edit: AccountEdit::default(), groups: vec![] };
        directory.add_account(account).unwrap();
        // Failures are made by the dozen here.
        let lockout = LockoutPolicy { threshold: 0, global_threshold: 0, address_threshold: 0, ..Default::default() };
        directory.store().set_policy(&Policy { lockout, ..Policy::default() }).unwrap();
        let key = data.path().join("export.key");
        let tls = crate::streams::configuration(data.path());
        let config = format!("[compatibility]\n{compatibility}\n[export]\nkey_file = {key:?}\n{tls}");
        let world = Self { library: Library::with_config(library, &config), data, style: 0 };
        assert_eq!(world.library.set_authority(&world.store()), 0);
        world
    }

    /// The store, as PortcullisSetAuthority is told.
    pub fn store(&self) -> String {
        format!("sqlite:{}", self.folder().display())
    }

    pub fn folder(&self) -> PathBuf {
        self.data.path().join("data")
    }

    pub fn function(&self, name: &str) -> Function {
        self.library.function(name)
    }

    /// A credential; an outbound one is the account's, with this password.
    pub fn credential(&self, package: &str, direction: usize, password: &str) -> SecHandle {
        let mut identity = Identity::new(USER, DOMAIN, password);
        let identity = if direction & OUTBOUND != 0 { at(&mut identity.structure) } else { 0 };
        let mut credential = SecHandle::INVALID;
        assert_eq!(self.library.acquire(package, direction, identity, &mut credential), 0);
        credential
    }

    /// An inbound credential of a host that judges by itself.
    fn host_credential(&self, package: &str) -> SecHandle {
        assert_eq!(self.library.set_authority("none"), 0);
        let credential = self.credential(package, INBOUND, "");
        assert_eq!(self.library.set_authority(&self.store()), 0);
        credential
    }

    /// A context in a state.
    pub fn context(&self, package: &str, state: State) -> Fixture {
        if package == crate::streams::PACKAGE {
            return crate::streams::context(self, state);
        }
        let inbound = match state {
            State::CompleteNeeded => self.host_credential(package),
            _ => self.credential(package, INBOUND, ""),
        };
        let password = if state == State::FailedAcceptor { WRONG } else { PASSWORD };
        let outbound = self.credential(package, OUTBOUND, password);
        let begun = self.initialize(outbound, None, &[]);
        assert_eq!(begun.status, CONTINUE_NEEDED);
        let fixture =
            |credential, handle, token: &[u8], peer| Fixture { handle, credential, token: token.to_vec(), peer };
        match state {
            State::None => return fixture(inbound, None, &begun.token, None),
            State::Garbage => return fixture(inbound, Some(GARBAGE), &begun.token, None),
            State::WrongKind => return fixture(inbound, Some(inbound), &begun.token, None),
            _ => {}
        }
        let challenge = self.accept(inbound, None, &begun.token);
        assert_eq!(challenge.status, CONTINUE_NEEDED);
        let (client, server) = (begun.context, challenge.context);
        match state {
            State::Deleted => {
                self.delete(server);
                return fixture(inbound, Some(server), &begun.token, None);
            }
            State::HalfOpenInitiator => return fixture(outbound, Some(client), &challenge.token, Some(server)),
            State::FailedInitiator => {
                assert!(self.initialize(outbound, Some(client), b"nothing").status >> 31 == 1);
                return fixture(outbound, Some(client), &challenge.token, None);
            }
            _ => {}
        }
        let proof = self.initialize(outbound, Some(client), &challenge.token);
        assert_eq!(proof.status, 0);
        if state == State::HalfOpenAcceptor {
            return fixture(inbound, Some(server), &proof.token, Some(client));
        }
        let ended = self.accept(inbound, Some(server), &proof.token);
        match state {
            State::CompleteNeeded => assert_eq!(ended.status, COMPLETE_NEEDED),
            State::FailedAcceptor => assert!(ended.status >> 31 == 1),
            _ => assert_eq!((ended.status, ended.token.len()), (0, 0)),
        }
        match state {
            State::CompleteNeeded | State::FailedAcceptor => fixture(inbound, Some(server), &proof.token, None),
            State::Acceptor => fixture(inbound, Some(server), &proof.token, Some(client)),
            State::ImportedAcceptor => fixture(inbound, Some(self.moved(package, server)), &proof.token, Some(client)),
            State::Initiator => fixture(outbound, Some(client), &challenge.token, Some(server)),
            _ => fixture(outbound, Some(self.moved(package, client)), &challenge.token, Some(server)),
        }
    }

    /// A credential in a state; its fixture's token is a client's first.
    pub fn of_kind(&self, package: &str, kind: Kind) -> Fixture {
        if package == crate::streams::PACKAGE {
            return crate::streams::of_kind(self, kind);
        }
        let outbound = self.credential(package, OUTBOUND, PASSWORD);
        let token = self.initialize(outbound, None, &[]).token;
        let handle = match kind {
            Kind::None => None,
            Kind::Garbage => Some(GARBAGE),
            Kind::Freed => {
                let mut freed = self.credential(package, INBOUND, "");
                assert_eq!(self.function("FreeCredentialsHandle").call(&[at(&mut freed)]), 0);
                Some(freed)
            }
            Kind::OfContext => self.context(package, State::Acceptor).handle,
            Kind::Inbound => Some(self.credential(package, INBOUND, "")),
            Kind::Outbound => Some(outbound),
            Kind::Both => Some(self.credential(package, INBOUND | OUTBOUND, PASSWORD)),
        };
        Fixture { handle, credential: outbound, token, peer: None }
    }

    /// How a logon ends.
    pub fn log_on(&self, package: &str, user: &str, domain: &str, password: &str) -> u32 {
        let mut identity = Identity::new(user, domain, password);
        let mut outbound = SecHandle::INVALID;
        let identity = at(&mut identity.structure);
        assert_eq!(self.library.acquire(package, OUTBOUND, identity, &mut outbound), 0);
        let inbound = self.credential(package, INBOUND, "");
        let begun = self.initialize(outbound, None, &[]);
        let challenge = self.accept(inbound, None, &begun.token);
        let proof = self.initialize(outbound, Some(begun.context), &challenge.token);
        self.accept(inbound, Some(challenge.context), &proof.token).status
    }

    pub fn delete(&self, mut context: SecHandle) {
        assert_eq!(self.function("DeleteSecurityContext").call(&[at(&mut context)]), 0);
    }

    /// The context, exported and imported.
    pub fn moved(&self, package: &str, context: SecHandle) -> SecHandle {
        let mut packed = self.export(context);
        let mut name = text(package, false);
        let mut imported = SecHandle::INVALID;
        let call = [at(&mut name[0]), at(&mut packed), 0, at(&mut imported)];
        assert_eq!(self.function("ImportSecurityContextA").call(&call), 0);
        imported
    }

    /// What a context is exported as; it is gone then.
    pub fn export(&self, mut context: SecHandle) -> SecBuffer {
        let mut packed = SecBuffer { len: 0, kind: 0, at: std::ptr::null_mut() };
        let status = self.function("ExportSecurityContext").call(&[at(&mut context), 2, at(&mut packed), 0]);
        assert_eq!(status, 0);
        packed
    }

    pub fn initialize(&self, credential: SecHandle, context: Option<SecHandle>, token: &[u8]) -> Leg {
        self.initialize_by(self.function("InitializeSecurityContextA"), false, Some(credential), context, token)
    }

    /// A leg by this function, whose texts are wide or not.
    pub fn initialize_by(
        &self,
        function: Function,
        wide: bool,
        mut credential: Option<SecHandle>,
        context: Option<SecHandle>,
        token: &[u8],
    ) -> Leg {
        let mut target = text("HTTP/server.corp.example", wide);
        let credential = credential.as_mut().map_or(0, at);
        leg(context, token, |places| {
            let Places { before, input, context, output, granted, expiry } = places;
            let target = at(&mut target[0]);
            function.call(&[
                credential,
                before,
                target,
                ISC_WANTED | self.style,
                0,
                0x10,
                input,
                0,
                context,
                output,
                granted,
                expiry,
            ])
        })
    }

    pub fn accept(&self, credential: SecHandle, context: Option<SecHandle>, token: &[u8]) -> Leg {
        self.accept_by(self.function("AcceptSecurityContext"), Some(credential), context, token)
    }

    pub fn accept_by(
        &self,
        function: Function,
        mut credential: Option<SecHandle>,
        context: Option<SecHandle>,
        token: &[u8],
    ) -> Leg {
        let credential = credential.as_mut().map_or(0, at);
        leg(context, token, |places| {
            let Places { before, input, context, output, granted, expiry } = places;
            function.call(&[credential, before, input, ASC_WANTED | self.style, 0x10, context, output, granted, expiry])
        })
    }

    /// A message of the context's peer, signed or sealed: the signature, and the data.
    pub fn message_of(&self, peer: Option<SecHandle>, seal: bool) -> ([u8; 16], [u8; 5]) {
        let (mut signature, mut data) = ([0; 16], *b"hello");
        if let Some(mut peer) = peer {
            let mut buffers = [SecBuffer::new(TOKEN, &mut signature), SecBuffer::new(DATA, &mut data)];
            let mut message = SecBufferDesc::new(&mut buffers);
            let by = self.function(if seal { "EncryptMessage" } else { "MakeSignature" });
            // A peer that is half-open has no keys yet, and says nothing.
            by.call(&[at(&mut peer), 0, at(&mut message), 0]);
        }
        (signature, data)
    }
}

/// The addresses of what a leg is called with.
struct Places {
    before: usize,
    input: usize,
    context: usize,
    output: usize,
    granted: usize,
    expiry: usize,
}

fn leg(context: Option<SecHandle>, token: &[u8], call: impl FnOnce(Places) -> u32) -> Leg {
    let (mut token, mut room) = (token.to_vec(), vec![0; 65536]);
    let mut inputs = [SecBuffer::new(TOKEN, &mut token)];
    let mut outputs = [SecBuffer::new(TOKEN, &mut room)];
    let (mut input, mut output) = (SecBufferDesc::new(&mut inputs), SecBufferDesc::new(&mut outputs));
    let (mut before, mut new) = (context, context.unwrap_or(SecHandle::INVALID));
    let (mut granted, mut expiry) = (0_u32, 0_i64);
    let status = call(Places {
        before: before.as_mut().map_or(0, at),
        input: if token.is_empty() { 0 } else { at(&mut input) },
        context: at(&mut new),
        output: at(&mut output),
        granted: at(&mut granted),
        expiry: at(&mut expiry),
    });
    let len = outputs[0].len as usize;
    assert!(status >> 31 == 0 || len == 0, "a leg that failed with {status:#010x} left a length: it would be sent");
    Leg { status, context: new, token: room[..len].to_vec() }
}

/// SEC_WINNT_AUTH_IDENTITY_A with its texts.
pub struct Identity {
    pub structure: IdentityA,
    _texts: [Vec<u8>; 3],
}

/// SEC_WINNT_AUTH_IDENTITY_EXA: the plain one between its head and its list.
#[repr(C)]
pub struct IdentityExA {
    pub version: u32,
    pub length: u32,
    pub plain: IdentityA,
    pub list: usize,
    pub list_len: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct IdentityA {
    user: usize,
    user_len: u32,
    domain: usize,
    domain_len: u32,
    password: usize,
    password_len: u32,
    flags: u32,
}

impl Identity {
    pub fn new(user: &str, domain: &str, password: &str) -> Self {
        let mut texts = [user, domain, password].map(|part| part.as_bytes().to_vec());
        let len = |text: &Vec<u8>| u32::try_from(text.len()).unwrap();
        let lens = [len(&texts[0]), len(&texts[1]), len(&texts[2])];
        let [user, domain, password] = texts.each_mut().map(|text| text.as_mut_ptr().expose_provenance());
        let [user_len, domain_len, password_len] = lens;
        let structure = IdentityA { user, user_len, domain, domain_len, password, password_len, flags: 1 };
        Self { structure, _texts: texts }
    }
}

/// A string of an A or a W function, with its end.
pub fn text(text: &str, wide: bool) -> Vec<u16> {
    if wide {
        return text.encode_utf16().chain([0]).collect();
    }
    let bytes: Vec<u8> = text.bytes().chain([0, 0]).collect();
    bytes
        .chunks_exact(2)
        .map(|pair| u16::from_ne_bytes([pair[0], pair[1]]))
        .collect::<Vec<_>>()
        .into_iter()
        .chain([0])
        .collect()
}

/// The bytes of an exported context.
pub fn packed_bytes(packed: SecBuffer) -> Vec<u8> {
    // SAFETY: the library says that as many bytes stand there.
    unsafe { bytes(packed.at.expose_provenance(), packed.len as usize) }
}
