//! What Kerberos' contexts and credentials answer. The tickets are made here; those of real KDCs are in `tests/kerberos`.

use crate::document::{Row, Section};
use crate::sspi::{DATA, Function, INBOUND, OUTBOUND, SecBuffer, SecBufferDesc, SecHandle, TOKEN, at};
use crate::world::{CONTINUE_NEEDED, Fixture, State, World, text};
use library::kerberos::crypto::Enctype;
use portcullis_testkit::kerberos::{Cached, LongTerm, Ticket, ccache, keytab};
use std::ffi::CString;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

pub const PACKAGE: &str = "Kerberos";

/// Each of its programs, for what is named in the program's own cases.
const PROGRAMS: &str = "kerberos::semantics::by_gcc";

/// The service that `World::initialize` means.
const SERVICE: &str = "HTTP/server.corp.example@CORP.EXAMPLE";

/// ISC_REQ_USE_DCE_STYLE and ASC_REQ_USE_DCE_STYLE: three legs, so that both sides can be half-open.
const DCE: usize = 0x200;

/// A library whose configuration names a keytab, and tickets for a client.
pub struct Realm {
    pub world: World,
    folder: TempDir,
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
    fn acquire(&self, direction: usize, cache: Option<&str>, credential: &mut SecHandle) -> u32 {
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

    fn credential(&self, direction: usize) -> SecHandle {
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
    fn message(&self, by: &str, context: Option<SecHandle>) -> ([u8; 96], u32, [u8; 5]) {
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

const STATES: [(State, &str); 8] = [
    (State::HalfOpenAcceptor, "acceptor, half-open"),
    (State::FailedAcceptor, "acceptor, failed"),
    (State::Acceptor, "acceptor, established"),
    (State::ImportedAcceptor, "acceptor, imported"),
    (State::HalfOpenInitiator, "initiator, half-open"),
    (State::FailedInitiator, "initiator, failed"),
    (State::Initiator, "initiator, established"),
    (State::ImportedInitiator, "initiator, imported"),
];

/// A function, how it is called with a context, and what says so.
struct Family {
    exports: &'static [&'static str],
    about: &'static str,
    call: fn(&Realm, Function, bool, &mut Fixture) -> u32,
    documented: &'static [&'static str],
    source: &'static str,
    test: &'static str,
}

const NONE: &[&str] = &["SEC_E_UNSUPPORTED_FUNCTION", "SEC_E_INVALID_HANDLE"];
const KEYS: &[&str] = &["SEC_E_OK", "SEC_E_INVALID_HANDLE"];

const FAMILIES: &[Family] = &[
    Family {
        exports: &["AcceptSecurityContext"],
        about: "The third leg of DCE style.",
        call: |realm, function, _, on| {
            realm.world.accept_by(function, Some(on.credential), on.handle, &on.token).status
        },
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE", "SEC_E_OUT_OF_SEQUENCE"],
        source: "`AcceptSecurityContext (Kerberos)`; MS-KILE 3.4.5.1",
        test: PROGRAMS,
    },
    Family {
        exports: &["InitializeSecurityContextA", "InitializeSecurityContextW"],
        about: "The second leg.",
        call: |realm, function, wide, on| {
            realm.world.initialize_by(function, wide, Some(on.credential), on.handle, &on.token).status
        },
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE", "SEC_E_OUT_OF_SEQUENCE"],
        source: "`InitializeSecurityContext (Kerberos)`; MS-KILE 3.2.5.2",
        test: PROGRAMS,
    },
    Family {
        exports: &["CompleteAuthToken"],
        about: "",
        call: |_, function, _, on| function.call(&[on.at(), 0]),
        documented: NONE,
        source: "`CompleteAuthToken`: Digest alone",
        test: crate::HERE,
    },
    Family {
        exports: &["ApplyControlToken"],
        about: "",
        call: |_, function, _, on| {
            let mut token = 1_u32.to_le_bytes();
            let mut buffers = [SecBuffer::new(TOKEN, &mut token)];
            function.call(&[on.at(), at(&mut SecBufferDesc::new(&mut buffers))])
        },
        documented: NONE,
        source: "`ApplyControlToken`: Schannel alone",
        test: crate::HERE,
    },
    Family {
        exports: &["DeleteSecurityContext"],
        about: "",
        call: |_, function, _, on| function.call(&[on.at()]),
        documented: &["SEC_E_OK"],
        source: "`DeleteSecurityContext`",
        test: PROGRAMS,
    },
    Family {
        exports: &[
            "QueryContextAttributesA",
            "QueryContextAttributesW",
            "QueryContextAttributesExA",
            "QueryContextAttributesExW",
        ],
        about: "SECPKG_ATTR_SIZES.",
        call: |_, function, _, on| {
            let mut value = [0_u64; 64];
            function.call(&[on.at(), 0, at(&mut value), size_of_val(&value)])
        },
        documented: KEYS,
        source: "`QueryContextAttributes (Kerberos)`",
        test: PROGRAMS,
    },
    Family {
        exports: &["SetContextAttributesA", "SetContextAttributesW"],
        about: "",
        call: |_, function, _, on| {
            let mut value = [0_u64; 4];
            function.call(&[on.at(), 1004, at(&mut value), size_of_val(&value)])
        },
        documented: NONE,
        source: "`SetContextAttributes`: Schannel alone, and what WinPR's hosts bring for NTLM",
        test: crate::HERE,
    },
    Family {
        exports: &["MakeSignature"],
        about: "",
        call: |_, function, _, on| {
            let (mut token, mut data) = ([0; 96], *b"hello");
            let mut buffers = [SecBuffer::new(TOKEN, &mut token), SecBuffer::new(DATA, &mut data)];
            function.call(&[on.at(), 0, at(&mut SecBufferDesc::new(&mut buffers)), 0])
        },
        documented: KEYS,
        source: "`MakeSignature`; RFC 4121 4.2.6.1",
        test: PROGRAMS,
    },
    Family {
        exports: &["VerifySignature"],
        about: "A message that the peer signed.",
        call: |realm, function, _, on| {
            let (mut token, len, mut data) = realm.message("MakeSignature", on.peer);
            let mut buffers = [SecBuffer::new(TOKEN, &mut token[..len as usize]), SecBuffer::new(DATA, &mut data)];
            function.call(&[on.at(), at(&mut SecBufferDesc::new(&mut buffers)), 0, 0])
        },
        documented: KEYS,
        source: "`VerifySignature`; RFC 4121 4.2.6.1",
        test: PROGRAMS,
    },
    Family {
        exports: &["EncryptMessage", "SealMessage"],
        about: "",
        call: |_, function, _, on| {
            let (mut token, mut data) = ([0; 96], *b"hello");
            let mut buffers = [SecBuffer::new(TOKEN, &mut token), SecBuffer::new(DATA, &mut data)];
            function.call(&[on.at(), 0, at(&mut SecBufferDesc::new(&mut buffers)), 0])
        },
        documented: KEYS,
        source: "`EncryptMessage (Kerberos)`; MS-KILE 3.4.5.4.1",
        test: PROGRAMS,
    },
    Family {
        exports: &["DecryptMessage", "UnsealMessage"],
        about: "A message that the peer sealed.",
        call: |realm, function, _, on| {
            let (mut token, len, mut data) = realm.message("EncryptMessage", on.peer);
            let mut buffers = [SecBuffer::new(TOKEN, &mut token[..len as usize]), SecBuffer::new(DATA, &mut data)];
            let status = function.call(&[on.at(), at(&mut SecBufferDesc::new(&mut buffers)), 0, 0]);
            assert!(status != 0 || data == *b"hello");
            status
        },
        documented: KEYS,
        source: "`DecryptMessage (Kerberos)`; MS-KILE 3.4.5.5",
        test: PROGRAMS,
    },
    Family {
        exports: &["QuerySecurityContextToken"],
        about: "A client whose PAC names an account; one without is SEC_E_NO_IMPERSONATION.",
        call: |_, function, _, on| {
            let mut token = 0_usize;
            function.call(&[on.at(), at(&mut token)])
        },
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE", "SEC_E_NO_IMPERSONATION"],
        source: "`QuerySecurityContextToken`: the server's side has the client's token",
        test: PROGRAMS,
    },
    Family {
        exports: &["ImpersonateSecurityContext", "RevertSecurityContext"],
        about: "",
        call: |_, function, _, on| function.call(&[on.at()]),
        documented: &["SEC_E_INVALID_HANDLE", "SEC_E_NO_IMPERSONATION"],
        source: "`ImpersonateSecurityContext`: SEC_E_NO_IMPERSONATION; *ours*: no thread changes its identity",
        test: crate::HERE,
    },
    Family {
        exports: &["ExportSecurityContext"],
        about: "",
        call: |_, function, _, on| {
            let mut packed = SecBuffer { len: 0, kind: 0, at: std::ptr::null_mut() };
            function.call(&[on.at(), 0, at(&mut packed), 0])
        },
        documented: KEYS,
        source: "`ExportSecurityContext`: Kerberos in user mode",
        test: PROGRAMS,
    },
];

type Call = fn(&Realm, Function, bool) -> u32;

/// A function, what is beside a context's handle, and what says so.
struct Beside {
    exports: &'static [&'static str],
    documented: &'static [&'static str],
    cases: &'static [(&'static str, Call, &'static str, &'static str)],
}

const BESIDE: &[Beside] = &[
    Beside {
        exports: &["QuerySecurityPackageInfoA", "QuerySecurityPackageInfoW"],
        documented: &["SEC_E_OK"],
        cases: &[(
            "its name",
            |realm, function, wide| {
                let (mut name, mut info) = (text(PACKAGE, wide), 0_usize);
                let status = function.call(&[at(&mut name[0]), at(&mut info)]);
                assert_eq!(realm.world.function("FreeContextBuffer").call(&[info]), 0);
                status
            },
            "`QuerySecurityPackageInfo`",
            PROGRAMS,
        )],
    },
    Beside {
        exports: &["AcquireCredentialsHandleA"],
        documented: &["SEC_E_OK", "SEC_E_NO_CREDENTIALS"],
        cases: &[
            (
                "inbound, a keytab is configured",
                |realm, _, _| realm.acquire(INBOUND, None, &mut { SecHandle::INVALID }),
                "`AcquireCredentialsHandle (Kerberos)`",
                PROGRAMS,
            ),
            (
                "outbound, a credential cache",
                |realm, _, _| realm.acquire(OUTBOUND, Some("ccache"), &mut { SecHandle::INVALID }),
                "WinPR's sspi.h: SEC_WINPR_KERBEROS_SETTINGS",
                PROGRAMS,
            ),
            (
                "outbound, no tickets",
                |realm, _, _| realm.acquire(OUTBOUND, None, &mut { SecHandle::INVALID }),
                "`AcquireCredentialsHandle (General)`: SEC_E_NO_CREDENTIALS; there is no logon session to take them from",
                PROGRAMS,
            ),
            (
                "outbound, a cache that is none",
                |realm, _, _| realm.acquire(OUTBOUND, Some("keytab"), &mut { SecHandle::INVALID }),
                "`AcquireCredentialsHandle (General)`: SEC_E_NO_CREDENTIALS",
                PROGRAMS,
            ),
            (
                "both, a keytab and a cache",
                |realm, _, _| realm.acquire(INBOUND | OUTBOUND, Some("ccache"), &mut { SecHandle::INVALID }),
                "`AcquireCredentialsHandle (Kerberos)`",
                "kerberos::semantics::user_to_user",
            ),
        ],
    },
    Beside {
        exports: &["AcceptSecurityContext"],
        documented: &[
            "SEC_E_OK",
            "SEC_I_CONTINUE_NEEDED",
            "SEC_E_INVALID_TOKEN",
            "SEC_E_LOGON_DENIED",
            "SEC_E_NO_CREDENTIALS",
        ],
        cases: &[
            (
                "first leg, no input",
                |realm, _, _| realm.world.accept(realm.credential(INBOUND), None, &[]).status,
                "`AcceptSecurityContext (Kerberos)`: SEC_E_INVALID_TOKEN",
                PROGRAMS,
            ),
            (
                "first leg, garbage",
                |realm, _, _| realm.world.accept(realm.credential(INBOUND), None, b"garbage").status,
                "`AcceptSecurityContext (Kerberos)`: SEC_E_INVALID_TOKEN",
                PROGRAMS,
            ),
            (
                "first leg, an outbound credential",
                |realm, _, _| {
                    let outbound = realm.credential(OUTBOUND);
                    let token = realm.world.initialize(outbound, None, &[]).token;
                    realm.world.accept(outbound, None, &token).status
                },
                "`AcquireCredentialsHandle (Kerberos)`: each direction is asked for",
                crate::HERE,
            ),
            (
                "first leg, in DCE style",
                |realm, _, _| {
                    let token = realm.world.initialize(realm.credential(OUTBOUND), None, &[]).token;
                    realm.world.accept(realm.credential(INBOUND), None, &token).status
                },
                "MS-KILE 3.4.5.1: a third leg follows",
                PROGRAMS,
            ),
            (
                "first leg, a token that came before",
                |realm, _, _| {
                    let token = realm.world.initialize(realm.credential(OUTBOUND), None, &[]).token;
                    let first = realm.world.accept(realm.credential(INBOUND), None, &token).status;
                    assert_eq!(first, CONTINUE_NEEDED);
                    realm.world.accept(realm.credential(INBOUND), None, &token).status
                },
                "RFC 4120 3.2.3: KRB_AP_ERR_REPEAT; *ours*: the status",
                PROGRAMS,
            ),
        ],
    },
    Beside {
        exports: &["PortcullisSetKeytab"],
        documented: &["SEC_E_OK", "SEC_E_INVALID_PARAMETER", "SEC_E_NO_CREDENTIALS"],
        cases: &[
            (
                "a keytab",
                |realm, function, _| set(function, realm.folder.path().join("keytab").to_str()),
                "*ours*",
                PROGRAMS,
            ),
            (
                "a file that is none",
                |realm, function, _| set(function, realm.folder.path().join("ccache").to_str()),
                "*ours*",
                PROGRAMS,
            ),
            ("no file", |_, function, _| set(function, Some("/nonexistent/keytab")), "*ours*", PROGRAMS),
            (
                "a keyring",
                |_, function, _| set(function, Some("KEYRING:persistent:0")),
                "*ours*: keys are in files",
                PROGRAMS,
            ),
            ("none: NULL", |_, function, _| set(function, None), "*ours*: what the configuration says", PROGRAMS),
        ],
    },
];

fn set(function: Function, keytab: Option<&str>) -> u32 {
    let keytab = keytab.map(|keytab| CString::new(keytab).unwrap());
    function.call(&[keytab.as_ref().map_or(0, |keytab| keytab.as_ptr().expose_provenance())])
}

/// Every function, for Kerberos.
pub fn sections(realm: &Realm) -> Vec<Section> {
    let beside = BESIDE.iter().map(|beside| beside.section(realm));
    beside.chain(FAMILIES.iter().map(|family| family.section(realm))).collect()
}

impl Family {
    fn section(&self, realm: &Realm) -> Section {
        let rows = STATES.iter().map(|(state, case)| Row {
            case: (*case).to_owned(),
            statuses: vec![self.called(realm, *state)],
            source: self.source.to_owned(),
            tests: tests(self.test),
        });
        section(self.exports, "by context (Kerberos)", self.about, "context", self.documented, rows.collect())
    }

    fn called(&self, realm: &Realm, state: State) -> u32 {
        let mut statuses = self.exports.iter().map(|name| {
            let mut on = realm.context(state);
            (self.call)(realm, realm.world.function(name), name.ends_with('W'), &mut on)
        });
        let first = statuses.next().unwrap();
        assert!(statuses.all(|status| status == first), "{:?} differ for {state:?}", self.exports);
        first
    }
}

impl Beside {
    fn section(&self, realm: &Realm) -> Section {
        let rows = self.cases.iter().map(|(case, call, source, test)| {
            let mut statuses =
                self.exports.iter().map(|name| call(realm, realm.world.function(name), name.ends_with('W')));
            let first = statuses.next().unwrap();
            assert!(statuses.all(|status| status == first), "{:?} differ: {case}", self.exports);
            Row { case: (*case).to_owned(), statuses: vec![first], source: (*source).to_owned(), tests: tests(test) }
        });
        section(self.exports, "Kerberos", "", "case", self.documented, rows.collect())
    }
}

fn tests(test: &'static str) -> Vec<&'static str> {
    if test == crate::HERE { vec![test] } else { vec![crate::HERE, test] }
}

fn section(
    exports: &[&'static str],
    part: &'static str,
    about: &'static str,
    by: &'static str,
    documented: &'static [&'static str],
    rows: Vec<Row>,
) -> Section {
    Section { exports: exports.to_vec(), part, about, by, columns: vec![PACKAGE], documented, rows }
}
