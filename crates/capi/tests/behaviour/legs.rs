//! What the legs of a handshake are called with beside their handles, and what comes of the tokens.

use crate::cases::{Case, Family};
use crate::document::Section;
use crate::sspi::{INBOUND, SecBuffer, SecBufferDesc, SecHandle, TOKEN, at};
use crate::world::{DOMAIN, Kind, PACKAGES, PASSWORD, State, USER, WRONG, World};

pub fn sections(world: &World) -> Vec<Section> {
    FAMILIES.iter().map(|family| family.section(world)).collect()
}

const FAMILIES: &[Family] = &[
    Family {
        exports: &["AcceptSecurityContext"],
        part: "what is beside the handles",
        about: "",
        columns: &PACKAGES,
        documented: &[
            "SEC_I_CONTINUE_NEEDED",
            "SEC_E_BUFFER_TOO_SMALL",
            "SEC_E_INVALID_HANDLE",
            "SEC_E_INVALID_TOKEN",
            "SEC_E_LOGON_DENIED",
            "SEC_E_NO_AUTHENTICATING_AUTHORITY",
            "SEC_E_SECURITY_QOS_FAILED",
        ],
        cases: &[
            Case {
                case: "first leg, no input",
                call: |world, _, _, package| world.accept(inbound(world, package), None, &[]).status,
                source: "MS-SPNG 3.2.5.2: Negotiate answers with the hint; NTLM waits for its client: SEC_E_INVALID_TOKEN",
                tests: &["vectors::every_vector_ends_in_c_as_it_says"],
            },
            Case {
                case: "first leg, garbage",
                call: |world, _, _, package| world.accept(inbound(world, package), None, b"garbage").status,
                source: "`AcceptSecurityContext (NTLM)`, `(Negotiate)`: SEC_E_INVALID_TOKEN",
                tests: &["vectors::every_vector_ends_in_c_as_it_says"],
            },
            Case {
                case: "first leg, no output",
                call: |world, function, _, package| {
                    let mut on = world.of_kind(package, Kind::Inbound);
                    let mut inputs = [SecBuffer::new(TOKEN, &mut on.token)];
                    let (mut input, mut new) = (SecBufferDesc::new(&mut inputs), SecHandle::INVALID);
                    let credential = on.handle.as_mut().map_or(0, at);
                    let status = function.call(&[credential, 0, at(&mut input), 0, 0, at(&mut new), 0, 0, 0]);
                    assert_eq!(new, SecHandle::INVALID, "a first leg that failed leaves no context");
                    status
                },
                source: "*ours*, as Windows' client answers; nothing has happened yet",
                tests: &[],
            },
            Case {
                case: "first leg, too small an output",
                call: |world, function, _, package| {
                    let mut on = world.of_kind(package, Kind::Inbound);
                    let mut room = [0; 55];
                    let mut inputs = [SecBuffer::new(TOKEN, &mut on.token)];
                    let mut outputs = [SecBuffer::new(TOKEN, &mut room)];
                    let (mut input, mut output) = (SecBufferDesc::new(&mut inputs), SecBufferDesc::new(&mut outputs));
                    let (mut new, credential) = (SecHandle::INVALID, on.handle.as_mut().map_or(0, at));
                    function.call(&[credential, 0, at(&mut input), 0, 0, at(&mut new), at(&mut output), 0, 0])
                },
                source: "*ours*, as Windows' client answers; nothing has happened yet",
                tests: &["vectors::every_vector_ends_in_c_as_it_says"],
            },
            Case {
                case: "first leg, nowhere to put the handle: NULL",
                call: |world, function, _, package| {
                    let mut on = world.of_kind(package, Kind::Inbound);
                    let mut inputs = [SecBuffer::new(TOKEN, &mut on.token)];
                    let mut input = SecBufferDesc::new(&mut inputs);
                    function.call(&[on.at(), 0, at(&mut input), 0, 0, 0, 0, 0, 0])
                },
                source: "`AcceptSecurityContext (NTLM)`, `(Negotiate)`: phNewContext is never NULL",
                tests: &[],
            },
            Case {
                case: "a descriptor of another version",
                call: |world, function, _, package| {
                    let mut on = world.of_kind(package, Kind::Inbound);
                    let mut inputs = [SecBuffer::new(TOKEN, &mut on.token)];
                    let mut input = SecBufferDesc::new(&mut inputs);
                    input.version = 1;
                    let mut new = SecHandle::INVALID;
                    function.call(&[on.at(), 0, at(&mut input), 0, 0, at(&mut new), 0, 0, 0])
                },
                source: "`SecBufferDesc`: its version is 0; *ours*: the status",
                tests: &[],
            },
            Case {
                case: "second leg, a wrong password",
                call: |world, _, _, package| world.log_on(package, USER, DOMAIN, WRONG),
                source: "`AcceptSecurityContext (NTLM)`, `(Negotiate)`: SEC_E_LOGON_DENIED",
                tests: &["vectors::every_vector_ends_in_c_as_it_says", "freerdp::store::a_wrong_password_is_refused"],
            },
            Case {
                case: "second leg, an unknown user",
                call: |world, _, _, package| world.log_on(package, "nobody", DOMAIN, PASSWORD),
                source: "`AcceptSecurityContext (NTLM)`, `(Negotiate)`: SEC_E_LOGON_DENIED",
                tests: &["vectors::every_vector_ends_in_c_as_it_says", "freerdp::store::an_unknown_user_is_refused"],
            },
            Case {
                case: "second leg, another domain",
                call: |world, _, _, package| world.log_on(package, USER, "ELSEWHERE", PASSWORD),
                source: "`AcceptSecurityContext (NTLM)`, `(Negotiate)`: SEC_E_NO_AUTHENTICATING_AUTHORITY",
                tests: &["vectors::every_vector_ends_in_c_as_it_says"],
            },
            Case {
                case: "second leg, garbage",
                call: |world, _, _, package| {
                    let on = world.context(package, State::HalfOpenAcceptor);
                    world.accept(on.credential, on.handle, b"garbage").status
                },
                source: "`AcceptSecurityContext (NTLM)`, `(Negotiate)`: SEC_E_INVALID_TOKEN",
                tests: &["vectors::every_vector_ends_in_c_as_it_says"],
            },
            Case {
                case: "second leg, a credential of the other package",
                call: |world, _, _, package| {
                    let on = world.context(package, State::HalfOpenAcceptor);
                    let other = if package == "NTLM" { "Negotiate" } else { "NTLM" };
                    world.accept(inbound(world, other), on.handle, &on.token).status
                },
                source: "*ours*: a context keeps its package",
                tests: &[],
            },
            Case {
                case: "a required flag is missing at the end",
                call: |world, _, _, package| {
                    let mut on = world.context(package, State::HalfOpenAcceptor);
                    // DELEGATE, which NTLM never grants.
                    let require = world.function("PortcullisRequireContextFlags");
                    assert_eq!(require.call(&[at(&mut on.credential), 1]), 0);
                    world.accept(on.credential, on.handle, &on.token).status
                },
                source: "*ours*: what PortcullisRequireContextFlags asks for; `AcceptSecurityContext (General)`: SEC_E_SECURITY_QOS_FAILED",
                tests: &["vectors::every_vector_ends_in_c_as_it_says"],
            },
        ],
    },
    Family {
        exports: &["InitializeSecurityContextA", "InitializeSecurityContextW"],
        part: "what is beside the handles",
        about: "",
        columns: &PACKAGES,
        documented: &["SEC_E_BUFFER_TOO_SMALL", "SEC_E_INVALID_HANDLE", "SEC_E_INVALID_TOKEN"],
        cases: &[
            Case {
                case: "first leg, no output",
                call: |world, function, _, package| {
                    let mut on = world.of_kind(package, Kind::Outbound);
                    let mut new = SecHandle::INVALID;
                    function.call(&[on.at(), 0, 0, 0, 0, 0, 0, 0, at(&mut new), 0, 0, 0])
                },
                source: "as Windows answers",
                tests: &[],
            },
            Case {
                case: "first leg, nowhere to put the handle: NULL",
                call: |world, function, _, package| {
                    let mut on = world.of_kind(package, Kind::Outbound);
                    function.call(&[on.at(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
                },
                source: "`InitializeSecurityContext (NTLM)`, `(Negotiate)`: phNewContext is not NULL at first",
                tests: &[],
            },
            Case {
                case: "second leg, garbage",
                call: |world, function, wide, package| {
                    let on = world.context(package, State::HalfOpenInitiator);
                    world.initialize_by(function, wide, Some(on.credential), on.handle, b"garbage").status
                },
                source: "`InitializeSecurityContext (NTLM)`, `(Negotiate)`: SEC_E_INVALID_TOKEN",
                tests: &[],
            },
        ],
    },
    Family {
        exports: &["CompleteAuthToken"],
        part: "with a secret",
        about: "The host set an attribute of WinPR's before.",
        columns: &PACKAGES,
        documented: &["SEC_E_OK", "SEC_E_LOGON_DENIED"],
        cases: &[
            Case {
                case: "the hash of the client's password",
                call: |world, function, _, package| {
                    let mut on = world.context(package, State::CompleteNeeded);
                    assert_eq!(crate::contexts::set_hash(world.function("SetContextAttributesA"), &mut on), 0);
                    let status = function.call(&[on.at(), 0]);
                    let mut sizes = [0_u32; 4];
                    assert_eq!(world.function("QueryContextAttributesA").call(&[on.at(), 0, at(&mut sizes)]), 0);
                    status
                },
                source: "WinPR's hosts: established then, as `CompleteAuthToken` says of Digest",
                tests: &["freerdp::sam::those_of_the_file_are_let_in"],
            },
            Case {
                case: "the hash of another password",
                call: |world, function, _, package| {
                    let mut on = world.context(package, State::CompleteNeeded);
                    let mut value = [7_u8; 20];
                    value[..4].copy_from_slice(&1_i32.to_ne_bytes());
                    let set = world.function("SetContextAttributesA");
                    assert_eq!(set.call(&[on.at(), 1003, at(&mut value), value.len()]), 0);
                    function.call(&[on.at(), 0])
                },
                source: "as AcceptSecurityContext: SEC_E_LOGON_DENIED",
                tests: &["freerdp::sam::a_wrong_password_is_refused"],
            },
        ],
    },
];

fn inbound(world: &World, package: &str) -> SecHandle {
    world.credential(package, INBOUND, "")
}
