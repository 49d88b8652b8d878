//! What is called with a context.

use crate::document::{Row, Section};
use crate::sspi::{DATA, Function, SecBuffer, SecBufferDesc, TOKEN, at};
use crate::world::{Fixture, PACKAGES, State, World};

/// A function, how it is called, and what is known of it.
struct Family {
    exports: &'static [&'static str],
    about: &'static str,
    call: fn(&World, Function, bool, &mut Fixture) -> u32,
    documented: &'static [&'static str],
    /// The page that says what a context in these states is answered; the last one has all others.
    sources: &'static [(&'static [State], &'static str)],
    tests: &'static [(&'static [State], &'static str)],
}

use State::{
    Acceptor, CompleteNeeded, FailedAcceptor, FailedInitiator, HalfOpenAcceptor, HalfOpenInitiator, ImportedAcceptor,
    ImportedInitiator, Initiator,
};

const NO_CONTEXT: &[State] = &[State::None, State::Garbage, State::WrongKind];
const REST: &[State] = &[];
const HALF: &[State] = &[HalfOpenAcceptor, HalfOpenInitiator, CompleteNeeded];
const FAILED: &[State] = &[FailedAcceptor, FailedInitiator];
const ACCEPTORS: &[State] = &[HalfOpenAcceptor, CompleteNeeded, FailedAcceptor, Acceptor, ImportedAcceptor];
const INITIATORS: &[State] = &[HalfOpenInitiator, FailedInitiator, Initiator, ImportedInitiator];
const IMPORTED: &[State] = &[ImportedAcceptor, ImportedInitiator];

const GONE: &str = "*ours*: a refused context is gone; it is only to be deleted";
const NOT_YET: &str = "`QueryContextAttributes (CredSSP)`: SEC_E_INVALID_HANDLE for a context that is not complete; \
    *ours*: so for all that need its keys";

const FAMILIES: &[Family] = &[
    Family {
        exports: &["AcceptSecurityContext"],
        about: "A later leg, with the token that the peer's context made. The first leg, which has a credential alone, is \
            above.",
        call: |world, function, _, on| world.accept_by(function, Some(on.credential), on.handle, &on.token).status,
        documented: &[
            "SEC_E_OK",
            "SEC_I_CONTINUE_NEEDED",
            "SEC_I_COMPLETE_NEEDED",
            "SEC_E_INVALID_HANDLE",
            "SEC_E_OUT_OF_SEQUENCE",
        ],
        sources: &[
            (&[State::None], "`AcceptSecurityContext (NTLM)`, `(Negotiate)`: NULL is the first call"),
            (&[HalfOpenAcceptor], "`AcceptSecurityContext (NTLM)`, `(Negotiate)`"),
            (&[CompleteNeeded, Acceptor], "*ours*, as NTLM answers what is not in its turn"),
            (FAILED, GONE),
            (INITIATORS, "*ours*: the handle is not an acceptor's"),
            (IMPORTED, "*ours*: an imported context has no credential"),
            (REST, "`AcceptSecurityContext (NTLM)`, `(Negotiate)`: SEC_E_INVALID_HANDLE"),
        ],
        tests: &[
            (&[HalfOpenAcceptor], "vectors::every_vector_ends_in_c_as_it_says"),
            (&[HalfOpenAcceptor], "freerdp::store::those_of_the_store_are_let_in"),
        ],
    },
    Family {
        exports: &["InitializeSecurityContextA", "InitializeSecurityContextW"],
        about: "A later leg, with the server's token.",
        call: |world, function, wide, on| {
            world.initialize_by(function, wide, Some(on.credential), on.handle, &on.token).status
        },
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE", "SEC_E_OUT_OF_SEQUENCE", "SEC_E_NO_CREDENTIALS"],
        sources: &[
            (
                &[State::None],
                "`InitializeSecurityContext (NTLM)`, `(Negotiate)`: the first call, by an inbound credential",
            ),
            (&[HalfOpenInitiator], "`InitializeSecurityContext (NTLM)`, `(Negotiate)`"),
            (&[Initiator], "*ours*, as NTLM answers what is not in its turn"),
            (FAILED, GONE),
            (ACCEPTORS, "*ours*: the handle is not an initiator's"),
            (IMPORTED, "*ours*: an imported context has no credential"),
            (REST, "`InitializeSecurityContext (NTLM)`, `(Negotiate)`: SEC_E_INVALID_HANDLE"),
        ],
        tests: &[(&[HalfOpenInitiator], "freerdp::initiator::is_let_in")],
    },
    Family {
        exports: &["CompleteAuthToken"],
        about: "Without a secret; with one it is below.",
        call: |_, function, _, on| {
            let mut room = vec![0; 4096];
            let mut buffers = [SecBuffer::new(TOKEN, &mut room)];
            let mut message = SecBufferDesc::new(&mut buffers);
            function.call(&[on.at(), at(&mut message)])
        },
        documented: &["SEC_E_INVALID_HANDLE", "SEC_E_UNSUPPORTED_FUNCTION", "SEC_E_NO_AUTHENTICATING_AUTHORITY"],
        sources: &[
            (&[CompleteNeeded], "*ours*: nobody brought a secret, so nobody can judge"),
            (FAILED, GONE),
            (NO_CONTEXT, "`CompleteAuthToken`: SEC_E_INVALID_HANDLE"),
            (&[State::Deleted], "`CompleteAuthToken`: SEC_E_INVALID_HANDLE"),
            (REST, "`CompleteAuthToken`: Digest alone; what needs no completion has none. Comes with Digest"),
        ],
        tests: &[(&[CompleteNeeded], "freerdp::sam::those_of_the_file_are_let_in")],
    },
    Family {
        exports: &["ApplyControlToken"],
        about: "Neither package has control tokens.",
        call: |_, function, _, on| {
            // SCHANNEL_SHUTDOWN.
            let mut token = 1_u32.to_le_bytes();
            let mut buffers = [SecBuffer::new(TOKEN, &mut token)];
            let mut message = SecBufferDesc::new(&mut buffers);
            function.call(&[on.at(), at(&mut message)])
        },
        documented: &["SEC_E_INVALID_HANDLE", "SEC_E_UNSUPPORTED_FUNCTION"],
        sources: &[
            (NO_CONTEXT, "`ApplyControlToken`: SEC_E_INVALID_HANDLE"),
            (&[State::Deleted], "`ApplyControlToken`: SEC_E_INVALID_HANDLE"),
            (REST, "`ApplyControlToken`: Schannel alone"),
        ],
        tests: &[],
    },
    Family {
        exports: &["DeleteSecurityContext"],
        about: "",
        call: |_, function, _, on| function.call(&[on.at()]),
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE"],
        sources: &[
            (NO_CONTEXT, "`DeleteSecurityContext`: SEC_E_INVALID_HANDLE"),
            (&[State::Deleted], "`DeleteSecurityContext`: SEC_E_OK for a handle that was deleted already"),
            (REST, "`DeleteSecurityContext`: partial, rejected and failed contexts too"),
        ],
        tests: &[],
    },
    Family {
        exports: &[
            "QueryContextAttributesA",
            "QueryContextAttributesW",
            "QueryContextAttributesExA",
            "QueryContextAttributesExW",
        ],
        about: "SECPKG_ATTR_SIZES; each attribute has its row at the end of this page.",
        call: |_, function, _, on| {
            let mut value = [0_u64; 64];
            function.call(&[on.at(), 0, at(&mut value), size_of_val(&value)])
        },
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE"],
        sources: &[
            (HALF, "`QueryContextAttributes (CredSSP)`: SEC_E_INVALID_HANDLE for a context that is not complete"),
            (FAILED, GONE),
            (NO_CONTEXT, "`QueryContextAttributes (NTLM)`, `(Negotiate)`: SEC_E_INVALID_HANDLE"),
            (&[State::Deleted], "`QueryContextAttributes (NTLM)`, `(Negotiate)`: SEC_E_INVALID_HANDLE"),
            (REST, "`QueryContextAttributes (NTLM)`, `(Negotiate)`"),
        ],
        tests: &[(&[Acceptor], "vectors::every_vector_ends_in_c_as_it_says")],
    },
    Family {
        exports: &["SetContextAttributesA", "SetContextAttributesW"],
        about: "WinPR's AUTH_NTLM_HASH (1003); other attributes have their rows further below.",
        call: |_, function, _, on| set_hash(function, on),
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE", "SEC_E_UNSUPPORTED_FUNCTION"],
        sources: &[
            (&[CompleteNeeded], "WinPR's sspi.h; FreeRDP's servers bring the account so"),
            (NO_CONTEXT, "`SetContextAttributes`: SEC_E_INVALID_HANDLE"),
            (&[State::Deleted], "`SetContextAttributes`: SEC_E_INVALID_HANDLE"),
            (
                ACCEPTORS,
                "`SetContextAttributes`: SEC_E_UNSUPPORTED_FUNCTION; *ours*: where a store judges, nobody else does",
            ),
            (REST, "`SetContextAttributes`: SEC_E_UNSUPPORTED_FUNCTION"),
        ],
        tests: &[(&[CompleteNeeded], "freerdp::sam::those_of_the_file_are_let_in")],
    },
    Family {
        exports: &["MakeSignature"],
        about: "",
        call: |_, function, _, on| {
            let (mut signature, mut data) = ([0; 16], *b"hello");
            let mut buffers = [SecBuffer::new(TOKEN, &mut signature), SecBuffer::new(DATA, &mut data)];
            let mut message = SecBufferDesc::new(&mut buffers);
            let status = function.call(&[on.at(), 0, at(&mut message), 0]);
            assert_eq!(data, *b"hello", "signing changes nothing");
            assert_eq!(status == 0, signature != [0; 16], "a signature comes with SEC_E_OK alone");
            status
        },
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE"],
        sources: MESSAGES,
        tests: &[],
    },
    Family {
        exports: &["VerifySignature"],
        about: "A message that the peer signed.",
        call: |world, function, _, on| {
            let (mut signature, mut data) = world.message_of(on.peer, false);
            let mut buffers = [SecBuffer::new(TOKEN, &mut signature), SecBuffer::new(DATA, &mut data)];
            let mut message = SecBufferDesc::new(&mut buffers);
            let mut quality = 7_u32;
            let status = function.call(&[on.at(), at(&mut message), 0, at(&mut quality)]);
            assert_eq!(quality, if status == 0 { 0 } else { 7 });
            status
        },
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE"],
        sources: MESSAGES,
        tests: &[],
    },
    Family {
        exports: &["EncryptMessage", "SealMessage"],
        about: "SealMessage is the older name of the same.",
        call: |_, function, _, on| {
            let (mut signature, mut data) = ([0; 16], *b"hello");
            let mut buffers = [SecBuffer::new(TOKEN, &mut signature), SecBuffer::new(DATA, &mut data)];
            let mut message = SecBufferDesc::new(&mut buffers);
            let status = function.call(&[on.at(), 0, at(&mut message), 0]);
            assert_eq!(status == 0, data != *b"hello", "what is not sealed stays as it is");
            status
        },
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE"],
        sources: MESSAGES,
        tests: &[
            (&[Acceptor], "tests/c/sample_server.c"),
            (&[Acceptor], "freerdp::store::those_of_the_store_are_let_in"),
            (&[Initiator], "freerdp::initiator::is_let_in"),
        ],
    },
    Family {
        exports: &["DecryptMessage", "UnsealMessage"],
        about: "A message that the peer sealed. UnsealMessage is the older name of the same.",
        call: |world, function, _, on| {
            let (mut signature, mut data) = world.message_of(on.peer, true);
            let mut buffers = [SecBuffer::new(TOKEN, &mut signature), SecBuffer::new(DATA, &mut data)];
            let mut message = SecBufferDesc::new(&mut buffers);
            let mut quality = 7_u32;
            let status = function.call(&[on.at(), at(&mut message), 0, at(&mut quality)]);
            assert!(status != 0 || (data == *b"hello" && quality == 0), "what is opened is what was sealed");
            status
        },
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE"],
        sources: MESSAGES,
        tests: &[
            (&[Initiator], "tests/c/sample_client.c"),
            (&[Acceptor], "freerdp::store::those_of_the_store_are_let_in"),
            (&[Initiator], "freerdp::initiator::is_let_in"),
        ],
    },
    Family {
        exports: &["QuerySecurityContextToken"],
        about: "",
        call: |_, function, _, on| {
            let mut token = 0_usize;
            let status = function.call(&[on.at(), at(&mut token)]);
            assert_eq!(status == 0, token != 0, "a token comes with SEC_E_OK alone");
            status
        },
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE", "SEC_E_NO_IMPERSONATION"],
        sources: &[
            (&[Acceptor, ImportedAcceptor], "`QuerySecurityContextToken`: the server's side has the client's token"),
            (
                &[Initiator, ImportedInitiator],
                "`ImpersonateSecurityContext`: SEC_E_NO_IMPERSONATION; a client has no token of its server",
            ),
            (HALF, NOT_YET),
            (FAILED, GONE),
            (REST, "`QuerySecurityContextToken`: SEC_E_INVALID_HANDLE"),
        ],
        tests: &[],
    },
    Family {
        exports: &["ImpersonateSecurityContext", "RevertSecurityContext"],
        about: "As they are unless `compatibility.danger_pretend_impersonation` is set; with it, see further below.",
        call: |_, function, _, on| function.call(&[on.at()]),
        documented: &["SEC_E_INVALID_HANDLE", "SEC_E_NO_IMPERSONATION"],
        sources: &[
            (
                &[Acceptor, ImportedAcceptor],
                "`ImpersonateSecurityContext`: SEC_E_NO_IMPERSONATION; *ours*: no thread changes its identity",
            ),
            (
                &[Initiator, ImportedInitiator],
                "`ImpersonateSecurityContext`: SEC_E_NO_IMPERSONATION, for a context of AcceptSecurityContext alone",
            ),
            (HALF, NOT_YET),
            (FAILED, GONE),
            (REST, "`ImpersonateSecurityContext`, `RevertSecurityContext`: SEC_E_INVALID_HANDLE"),
        ],
        tests: &[(&[Acceptor], "tests/c/sample_server.c")],
    },
    Family {
        exports: &["ExportSecurityContext"],
        about: "Without flags; the flags have their rows further below.",
        call: |_, function, _, on| {
            let (mut packed, mut token) = (SecBuffer { len: 0, kind: 0, at: std::ptr::null_mut() }, 0_usize);
            let status = function.call(&[on.at(), 0, at(&mut packed), at(&mut token)]);
            assert_eq!(status == 0, !packed.at.is_null(), "what is exported comes with SEC_E_OK alone");
            status
        },
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE"],
        sources: &[
            (HALF, NOT_YET),
            (FAILED, GONE),
            (NO_CONTEXT, "`ExportSecurityContext`: SEC_E_INVALID_HANDLE"),
            (&[State::Deleted], "`ExportSecurityContext`: SEC_E_INVALID_HANDLE"),
            (REST, "`ExportSecurityContext`: NTLM and Negotiate in user mode"),
        ],
        tests: &[],
    },
    Family {
        exports: &["PortcullisSetPeerAddress"],
        about: "",
        call: |_, function, _, on| {
            // A sockaddr_in: 192.0.2.1.
            let mut address = [0_u8; 16];
            address[..2].copy_from_slice(&2_u16.to_ne_bytes());
            address[4..8].copy_from_slice(&[192, 0, 2, 1]);
            function.call(&[on.at(), at(&mut address), address.len()])
        },
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE"],
        sources: &[
            (&[State::None], "*ours*: of the next context that the thread begins to accept"),
            (&[HalfOpenAcceptor, CompleteNeeded], "*ours*: between the legs"),
            (REST, "*ours*: of an acceptor's handshake alone"),
        ],
        tests: &[],
    },
];

const MESSAGES: &[(&[State], &str)] = &[
    (HALF, NOT_YET),
    (FAILED, GONE),
    (NO_CONTEXT, "`EncryptMessage (NTLM)`, `MakeSignature`: SEC_E_INVALID_HANDLE"),
    (&[State::Deleted], "`EncryptMessage (NTLM)`, `MakeSignature`: SEC_E_INVALID_HANDLE"),
    (REST, "`EncryptMessage (NTLM)`, `(Negotiate)`, `MakeSignature`; MS-NLMP 3.4"),
];

/// Brings the NT hash of the right password by AUTH_NTLM_HASH.
pub fn set_hash(function: Function, on: &mut Fixture) -> u32 {
    let hash = library::ntlm::keys::nt_hash(crate::world::PASSWORD);
    let mut value = [0_u8; 20];
    value[..4].copy_from_slice(&1_i32.to_ne_bytes());
    value[4..].copy_from_slice(hash.expose());
    function.call(&[on.at(), 1003, at(&mut value), value.len()])
}

/// Every function in every state.
pub fn sections(world: &World) -> Vec<Section> {
    FAMILIES.iter().map(|family| family.section(world)).collect()
}

impl Family {
    fn section(&self, world: &World) -> Section {
        let rows = State::ALL.iter().map(|(state, name)| {
            let of = |package: &&str| self.called(world, package, *state);
            let of_state = |states: &&[State]| states.contains(state);
            let (_, source) = self.sources.iter().find(|(states, _)| of_state(states) || states.is_empty()).unwrap();
            let more = self.tests.iter().filter(|(states, _)| of_state(states)).map(|(_, test)| *test);
            Row {
                case: (*name).to_owned(),
                statuses: PACKAGES.iter().map(of).collect(),
                source: (*source).to_owned(),
                tests: [crate::HERE].into_iter().chain(more).collect(),
            }
        });
        Section {
            exports: self.exports.to_vec(),
            part: "by context",
            about: self.about,
            by: "context",
            columns: PACKAGES.to_vec(),
            documented: self.documented,
            rows: rows.collect(),
        }
    }

    /// The status of all names, each called with a context of its own.
    fn called(&self, world: &World, package: &str, state: State) -> u32 {
        let mut statuses = self.exports.iter().map(|name| {
            let mut on = world.context(package, state);
            (self.call)(world, world.function(name), name.ends_with('W'), &mut on)
        });
        let first = statuses.next().unwrap();
        assert!(statuses.all(|status| status == first), "{:?} differ for {state:?} of {package}", self.exports);
        first
    }
}
