//! A service and a client of Kerberos, with tickets that are made here.

use crate::sspi::{DATA, INBOUND, OUTBOUND, SecBuffer, SecBufferDesc, SecHandle, TOKEN, at};
use crate::tickets::PACKAGE;
use crate::world::{CONTINUE_NEEDED, Fixture, State, World};
use library::kerberos::crypto::Enctype;
use portcullis_testkit::kerberos::{Cached, LongTerm, Ticket, ccache, keytab};
use std::ffi::CString;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// The service that `World::initialize` means.
const SERVICE: &str = "HTTP/server.corp.example@CORP.EXAMPLE";

/// ISC_REQ_USE_DCE_STYLE and ASC_REQ_USE_DCE_STYLE: three legs, so that both sides can be half-open.
const DCE: usize = 0x200;

/// A library whose configuration names a keytab, and tickets for a client.
pub struct Realm {
    pub world: World,
    pub folder: TempDir,
}

impl Realm {
    pub fn new(library: &std::path::Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
        let service = LongTerm::of(SERVICE, 3, Enctype::Aes256Sha1);
        let (keys, tickets) = (folder.path().join("keytab"), folder.path().join("ccache"));
        fs::write(&keys, keytab(std::slice::from_ref(&service))).unwrap();
        fs::write(tickets, ccache(&[Cached::of(Ticket::of(&service, "ann@CORP.EXAMPLE", now))])).unwrap();
        let world = World::new(library, &format!("[kerberos]\nkeytab = {keys:?}"));
        Self { world: World { style: DCE, ..world }, folder }
    }

    /// AcquireCredentialsHandle, with the client's tickets in the way of WinPR's hosts.
    pub fn acquire(&self, direction: usize, cache: Option<&str>, credential: &mut SecHandle) -> u32 {
        let cache = cache.map(|name| CString::new(self.folder.path().join(name).to_str().unwrap()).unwrap());
        let mut settings = [0, 0, cache.as_ref().map_or(0, |cache| cache.as_ptr().expose_provenance())];
        // SEC_WINNT_AUTH_IDENTITY_EXW: version, length and flags; and two pointers behind it.
        let mut identity = [0_u64; 11];
        identity[0] = 0x48_0000_0200;
        identity[6] = 0x102_0000_0000;
        identity[10] = at(&mut settings) as u64;
        let identity = if cache.is_some() { at(&mut identity) } else { 0 };
        self.world.library.acquire(PACKAGE, direction, identity, credential)
    }

    pub fn credential(&self, direction: usize) -> SecHandle {
        let mut credential = SecHandle::INVALID;
        let cache = (direction & OUTBOUND != 0).then_some("ccache");
        assert_eq!(self.acquire(direction, cache, &mut credential), 0);
        credential
    }

    /// A context in a state.
    pub fn context(&self, state: State) -> Fixture {
        let (inbound, outbound) = (self.credential(INBOUND), self.credential(OUTBOUND));
        let world = &self.world;
        let made = |credential, handle: SecHandle, token: &[u8], peer| Fixture {
            handle: Some(handle),
            credential,
            token: token.to_vec(),
            peer,
        };
        let request = world.initialize(outbound, None, &[]);
        let reply = world.accept(inbound, None, &request.token);
        let (client, server) = (request.context, reply.context);
        assert_eq!((request.status, reply.status), (CONTINUE_NEEDED, CONTINUE_NEEDED));
        match state {
            State::HalfOpenInitiator => return made(outbound, client, &reply.token, Some(server)),
            State::FailedInitiator => {
                assert!(world.initialize(outbound, Some(client), b"no reply").status >> 31 == 1);
                return made(outbound, client, &reply.token, None);
            }
            _ => {}
        }
        let last = world.initialize(outbound, Some(client), &reply.token);
        assert_eq!(last.status, 0);
        match state {
            State::HalfOpenAcceptor => return made(inbound, server, &last.token, Some(client)),
            State::FailedAcceptor => {
                assert!(world.accept(inbound, Some(server), b"no answer").status >> 31 == 1);
                return made(inbound, server, &last.token, None);
            }
            _ => {}
        }
        let ended = world.accept(inbound, Some(server), &last.token);
        assert_eq!((ended.status, ended.token.len()), (0, 0));
        match state {
            State::Acceptor => made(inbound, server, &last.token, Some(client)),
            State::ImportedAcceptor => made(inbound, world.moved(PACKAGE, server), &last.token, Some(client)),
            State::Initiator => made(outbound, client, &reply.token, Some(server)),
            State::ImportedInitiator => made(outbound, world.moved(PACKAGE, client), &reply.token, Some(server)),
            _ => panic!("{state:?} is no state of Kerberos' own"),
        }
    }

    /// Token and data of a message that a context makes; five bytes of data.
    pub fn message(&self, by: &str, context: Option<SecHandle>) -> ([u8; 96], u32, [u8; 5]) {
        let (mut token, mut data, mut len) = ([0; 96], *b"hello", 96);
        if let Some(mut context) = context {
            let mut buffers = [SecBuffer::new(TOKEN, &mut token), SecBuffer::new(DATA, &mut data)];
            let mut message = SecBufferDesc::new(&mut buffers);
            // One that is half-open has no keys yet, and says nothing.
            if self.world.function(by).call(&[at(&mut context), 0, at(&mut message), 0]) == 0 {
                len = buffers[0].len;
            }
        }
        (token, len, data)
    }
}
