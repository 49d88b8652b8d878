//! What else an established context is called with: the attributes' places, tokens, and the way to another process.

use crate::cases::{Case, Family};
use crate::document::Section;
use crate::sspi::{Function, SecBuffer, SecHandle, TOKEN, at};
use crate::world::{PACKAGES, State, World, packed_bytes, text};

pub fn sections(world: &World) -> Vec<Section> {
    FAMILIES.iter().map(|family| family.section(world)).collect()
}

const FAMILIES: &[Family] = &[
    Family {
        exports: &["QueryContextAttributesA", "QueryContextAttributesW"],
        part: "nowhere to put it",
        about: "",
        columns: &PACKAGES,
        documented: &["SEC_E_INVALID_PARAMETER"],
        cases: &[Case {
            case: "NULL",
            call: |world, function, _, package| function.call(&[world.context(package, State::Acceptor).at(), 0, 0]),
            source: "*ours*",
            tests: &[],
        }],
    },
    Family {
        exports: &["QueryContextAttributesExA", "QueryContextAttributesExW"],
        part: "the structure's size",
        about: "",
        columns: &PACKAGES,
        documented: &["SEC_E_OK", "SEC_E_BUFFER_TOO_SMALL"],
        cases: &[
            Case {
                case: "as large as the structure",
                call: |world, function, _, package| sizes_in(world, function, package, 16),
                source: "`QueryContextAttributesEx`",
                tests: &[],
            },
            Case {
                case: "a byte too small",
                call: |world, function, _, package| sizes_in(world, function, package, 15),
                source: "`QueryContextAttributesEx`: cbBuffer; *ours*: the status",
                tests: &[],
            },
        ],
    },
    Family {
        exports: &["ExportSecurityContext"],
        part: "what is beside the handle",
        about: "An acceptor's context.",
        columns: &PACKAGES,
        documented: &["SEC_E_OK", "SEC_E_INVALID_PARAMETER", "SEC_E_UNSUPPORTED_FUNCTION"],
        cases: &[
            Case {
                case: "SECPKG_CONTEXT_EXPORT_RESET_NEW",
                call: |world, function, _, package| export(world, function, package, 1),
                source: "`ExportSecurityContext`",
                tests: &[],
            },
            Case {
                case: "SECPKG_CONTEXT_EXPORT_DELETE_OLD",
                call: |world, function, _, package| export(world, function, package, 2),
                source: "`ExportSecurityContext`",
                tests: &[],
            },
            Case {
                case: "SECPKG_CONTEXT_EXPORT_TO_KERNEL",
                call: |world, function, _, package| export(world, function, package, 4),
                source: "`ExportSecurityContext`: not supported any more",
                tests: &[],
            },
            Case {
                case: "an unknown flag",
                call: |world, function, _, package| export(world, function, package, 8),
                source: "*ours*",
                tests: &[],
            },
            Case {
                case: "nowhere to put it: NULL",
                call: |world, function, _, package| {
                    function.call(&[world.context(package, State::Acceptor).at(), 0, 0, 0])
                },
                source: "*ours*",
                tests: &[],
            },
        ],
    },
    Family {
        exports: &["ImportSecurityContextA", "ImportSecurityContextW"],
        part: "",
        about: "",
        columns: &PACKAGES,
        documented: &["SEC_E_OK", "SEC_E_INVALID_PARAMETER", "SEC_E_INVALID_TOKEN", "SEC_E_SECPKG_NOT_FOUND"],
        cases: &[
            Case {
                case: "what was exported",
                call: |world, function, wide, package| {
                    let mut bytes = exported(world, package);
                    import(function, wide, Some(package), &mut bytes)
                },
                source: "`ImportSecurityContext`",
                tests: &[],
            },
            Case {
                case: "the same, altered",
                call: |world, function, wide, package| {
                    let mut bytes = exported(world, package);
                    let last = bytes.len() - 1;
                    bytes[last] ^= 1;
                    import(function, wide, Some(package), &mut bytes)
                },
                source: "*ours*: it is sealed",
                tests: &[],
            },
            Case {
                case: "the other package's",
                call: |world, function, wide, package| {
                    let mut bytes = exported(world, if package == "NTLM" { "Negotiate" } else { "NTLM" });
                    import(function, wide, Some(package), &mut bytes)
                },
                source: "*ours*: it is sealed for its package",
                tests: &[],
            },
            Case {
                case: "nothing",
                call: |_, function, wide, package| import(function, wide, Some(package), &mut []),
                source: "*ours*",
                tests: &[],
            },
            Case {
                case: "no buffer: NULL",
                call: |_, function, wide, package| {
                    let mut new = SecHandle::INVALID;
                    function.call(&[at(&mut text(package, wide)[0]), 0, 0, at(&mut new)])
                },
                source: "*ours*",
                tests: &[],
            },
            Case {
                case: "no package: NULL",
                call: |world, function, wide, package| {
                    let mut bytes = exported(world, package);
                    import(function, wide, None, &mut bytes)
                },
                source: "`EnumerateSecurityPackages`: SEC_E_SECPKG_NOT_FOUND; *ours*: here, too",
                tests: &[],
            },
        ],
    },
    Family {
        exports: &["ImportSecurityContextA", "ImportSecurityContextW"],
        part: "packages that are not there yet",
        about: "Each comes with its package.",
        columns: crate::process::LATER,
        documented: &["SEC_E_SECPKG_NOT_FOUND"],
        cases: &[Case {
            case: "some bytes",
            call: |_, function, wide, package| import(function, wide, Some(package), &mut [1, 2, 3]),
            source: "*ours*, as the functions that query packages; comes with the package",
            tests: &[],
        }],
    },
    Family {
        exports: &["PortcullisQueryToken"],
        part: "",
        about: "",
        columns: &PACKAGES,
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE", "SEC_E_INVALID_PARAMETER"],
        cases: &[
            Case {
                case: "a token of QuerySecurityContextToken",
                call: |world, function, _, package| {
                    let (token, mut info) = (token(world, package), 0_usize);
                    function.call(&[token, at(&mut info)])
                },
                source: "*ours*",
                tests: &[],
            },
            Case {
                case: "closed before",
                call: |world, function, _, package| {
                    let (token, mut info) = (token(world, package), 0_usize);
                    assert_eq!(world.function("PortcullisCloseToken").call(&[token]), 0);
                    function.call(&[token, at(&mut info)])
                },
                source: "*ours*",
                tests: &[],
            },
            Case {
                case: "garbage",
                call: |_, function, _, _| function.call(&[0x1234_5678, at(&mut 0_usize)]),
                source: "*ours*",
                tests: &[],
            },
            Case {
                case: "nowhere to put it: NULL",
                call: |world, function, _, package| function.call(&[token(world, package), 0]),
                source: "*ours*",
                tests: &[],
            },
        ],
    },
    Family {
        exports: &["PortcullisCloseToken"],
        part: "",
        about: "",
        columns: &PACKAGES,
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE"],
        cases: &[
            Case {
                case: "a token of QuerySecurityContextToken",
                call: |world, function, _, package| function.call(&[token(world, package)]),
                source: "*ours*, as CloseHandle on Windows",
                tests: &[],
            },
            Case {
                case: "the same again",
                call: |world, function, _, package| {
                    let token = token(world, package);
                    assert_eq!(function.call(&[token]), 0);
                    function.call(&[token])
                },
                source: "*ours*",
                tests: &[],
            },
            Case {
                case: "garbage",
                call: |_, function, _, _| function.call(&[0x1234_5678]),
                source: "*ours*",
                tests: &[],
            },
        ],
    },
];

/// Impersonation where the host said that it does without.
pub const PRETENDED: Family = Family {
    exports: &["ImpersonateSecurityContext", "RevertSecurityContext"],
    part: "with `compatibility.danger_pretend_impersonation`",
    about: "",
    columns: &PACKAGES,
    documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE", "SEC_E_NO_IMPERSONATION"],
    cases: &[
        Case {
            case: "acceptor, established",
            call: |world, function, _, package| function.call(&[world.context(package, State::Acceptor).at()]),
            source: "FreeRDP's servers go on with SEC_E_OK alone",
            tests: &["freerdp::store::those_of_the_store_are_let_in"],
        },
        Case {
            case: "initiator, established",
            call: |world, function, _, package| function.call(&[world.context(package, State::Initiator).at()]),
            source: "`ImpersonateSecurityContext`: SEC_E_NO_IMPERSONATION",
            tests: &[],
        },
        Case {
            case: "acceptor, half-open",
            call: |world, function, _, package| function.call(&[world.context(package, State::HalfOpenAcceptor).at()]),
            source: "`ImpersonateSecurityContext`: SEC_E_INVALID_HANDLE",
            tests: &[],
        },
    ],
};

fn sizes_in(world: &World, function: Function, package: &str, room: usize) -> u32 {
    function.call(&[world.context(package, State::Acceptor).at(), 0, at(&mut [0_u32; 4]), room])
}

fn export(world: &World, function: Function, package: &str, flags: usize) -> u32 {
    let mut on = world.context(package, State::Acceptor);
    let mut packed = SecBuffer { len: 0, kind: 0, at: std::ptr::null_mut() };
    let status = function.call(&[on.at(), flags, at(&mut packed), 0]);
    let still_there = world.function("QueryContextAttributesA").call(&[on.at(), 0, at(&mut [0_u32; 4])]) == 0;
    assert_eq!(still_there, status != 0 || flags & 2 == 0, "DELETE_OLD, and no other flag, deletes the context");
    status
}

fn exported(world: &World, package: &str) -> Vec<u8> {
    packed_bytes(world.export(world.context(package, State::Acceptor).handle.unwrap()))
}

fn import(function: Function, wide: bool, package: Option<&str>, bytes: &mut [u8]) -> u32 {
    let mut package = package.map(|name| text(name, wide));
    let (mut packed, mut new) = (SecBuffer::new(TOKEN, bytes), SecHandle::INVALID);
    let name = package.as_mut().map_or(0, |name| at(&mut name[0]));
    let status = function.call(&[name, at(&mut packed), 0, at(&mut new)]);
    assert_eq!(status == 0, new != SecHandle::INVALID, "a handle comes with SEC_E_OK alone");
    status
}

fn token(world: &World, package: &str) -> usize {
    let mut token = 0_usize;
    let mut on = world.context(package, State::Acceptor);
    assert_eq!(world.function("QuerySecurityContextToken").call(&[on.at(), at(&mut token)]), 0);
    token
}
