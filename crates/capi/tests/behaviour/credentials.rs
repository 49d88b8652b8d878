//! What is called with a credential, and what makes one.

use crate::cases::{Case, Family};
use crate::document::{Row, Section};
use crate::sspi::{Function, INBOUND, OUTBOUND, SecHandle, at};
use crate::world::{DOMAIN, Fixture, Identity, IdentityExA, Kind, PACKAGES, PASSWORD, USER, World, text};

struct OfCredential {
    exports: &'static [&'static str],
    part: &'static str,
    about: &'static str,
    call: fn(&World, Function, bool, &str, Kind, &mut Fixture) -> u32,
    documented: &'static [&'static str],
    /// The last one has all others.
    sources: &'static [(&'static [Kind], &'static str)],
    tests: &'static [(&'static [Kind], &'static str)],
}

const NONE: &[Kind] = &[Kind::None, Kind::Garbage, Kind::Freed, Kind::OfContext];
const REST: &[Kind] = &[];

const OF_CREDENTIALS: &[OfCredential] = &[
    OfCredential {
        exports: &["AcceptSecurityContext"],
        part: "the first leg",
        about: "With a client's first token.",
        call: |world, function, _, _, _, on| world.accept_by(function, on.handle, None, &on.token).status,
        documented: &["SEC_I_CONTINUE_NEEDED", "SEC_E_INVALID_HANDLE", "SEC_E_NO_CREDENTIALS"],
        sources: &[
            (NONE, "`AcceptSecurityContext (NTLM)`, `(Negotiate)`: SEC_E_INVALID_HANDLE"),
            (&[Kind::Outbound], "`AcceptSecurityContext (General)`: SEC_E_NO_CREDENTIALS"),
            (REST, "`AcceptSecurityContext (NTLM)`, `(Negotiate)`"),
        ],
        tests: &[(&[Kind::Inbound], "vectors::every_vector_ends_in_c_as_it_says")],
    },
    OfCredential {
        exports: &["InitializeSecurityContextA", "InitializeSecurityContextW"],
        part: "the first leg",
        about: "",
        call: |world, function, wide, _, _, on| world.initialize_by(function, wide, on.handle, None, &[]).status,
        documented: &["SEC_I_CONTINUE_NEEDED", "SEC_E_INVALID_HANDLE", "SEC_E_NO_CREDENTIALS"],
        sources: &[
            (NONE, "`InitializeSecurityContext (NTLM)`, `(Negotiate)`: SEC_E_INVALID_HANDLE"),
            (&[Kind::Inbound], "`InitializeSecurityContext (General)`: SEC_E_NO_CREDENTIALS"),
            (REST, "`InitializeSecurityContext (NTLM)`, `(Negotiate)`"),
        ],
        tests: &[(&[Kind::Outbound], "freerdp::initiator::is_let_in")],
    },
    OfCredential {
        exports: &["AddCredentialsA", "AddCredentialsW"],
        part: "",
        about: "Another identity for the side that the credential has.",
        call: |_, function, wide, package, kind, on| {
            let (mut package, mut identity) = (text(package, wide), Identity::new(USER, DOMAIN, PASSWORD));
            let direction = if kind == Kind::Outbound { OUTBOUND } else { INBOUND };
            let mut expiry = 0_i64;
            let identity = at(&mut identity.structure);
            function.call(&[on.at(), 0, at(&mut package[0]), direction, identity, 0, 0, at(&mut expiry)])
        },
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE", "SEC_E_UNSUPPORTED_FUNCTION"],
        sources: &[
            (NONE, "`AddCredentials`: SEC_E_INVALID_HANDLE, as for all functions with a handle"),
            (REST, "`AddCredentials`: Negotiate holds several; *ours*: NTLM's credential holds one"),
        ],
        tests: &[],
    },
    OfCredential {
        exports: &["FreeCredentialsHandle"],
        part: "",
        about: "",
        call: |_, function, _, _, _, on| function.call(&[on.at()]),
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE"],
        sources: &[(NONE, "`FreeCredentialsHandle`: SEC_E_INVALID_HANDLE"), (REST, "`FreeCredentialsHandle`")],
        tests: &[],
    },
    OfCredential {
        exports: &[
            "QueryCredentialsAttributesA",
            "QueryCredentialsAttributesW",
            "QueryCredentialsAttributesExA",
            "QueryCredentialsAttributesExW",
        ],
        part: "",
        about: "SECPKG_CRED_ATTR_NAMES; each attribute has its row at the end of this page.",
        call: |_, function, _, _, _, on| {
            let mut value = [0_u64; 64];
            function.call(&[on.at(), 1, at(&mut value), size_of_val(&value)])
        },
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE"],
        sources: &[
            (NONE, "`QueryCredentialsAttributes`: SEC_E_INVALID_HANDLE"),
            (REST, "`QueryCredentialsAttributes`: SECPKG_CRED_ATTR_NAMES of NTLM and Negotiate"),
        ],
        tests: &[],
    },
    OfCredential {
        exports: &["SetCredentialsAttributesA", "SetCredentialsAttributesW"],
        part: "",
        about: "SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS. Nobody asks a KDC here; what Schannel sets is in `semantics_channel.c`.",
        call: |_, function, _, _, _, on| {
            let mut value = [1_u32, 0, 0, 0];
            function.call(&[on.at(), 3, at(&mut value), size_of_val(&value)])
        },
        documented: &["SEC_E_INVALID_HANDLE", "SEC_E_UNSUPPORTED_FUNCTION"],
        sources: &[
            (NONE, "`SetCredentialsAttributes`: SEC_E_INVALID_HANDLE"),
            (REST, "`SetCredentialsAttributes`: SEC_E_UNSUPPORTED_FUNCTION; *ours*: nobody asks a KDC here"),
        ],
        tests: &[],
    },
    OfCredential {
        exports: &["PortcullisRequireContextFlags"],
        part: "",
        about: "",
        // INTEGRITY, which either side has.
        call: |_, function, _, _, _, on| function.call(&[on.at(), 0x2_0000]),
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE"],
        sources: &[(REST, "*ours*")],
        tests: &[(&[Kind::Inbound], "vectors::every_vector_ends_in_c_as_it_says")],
    },
];

impl OfCredential {
    fn section(&self, world: &World) -> Section {
        let rows = Kind::ALL.iter().map(|(kind, name)| {
            let of_kind = |kinds: &&[Kind]| kinds.contains(kind);
            let (_, source) = self.sources.iter().find(|(kinds, _)| of_kind(kinds) || kinds.is_empty()).unwrap();
            let more = self.tests.iter().filter(|(kinds, _)| of_kind(kinds)).map(|(_, test)| *test);
            Row {
                case: (*name).to_owned(),
                statuses: PACKAGES.iter().map(|package| self.called(world, package, *kind)).collect(),
                source: (*source).to_owned(),
                tests: [crate::HERE].into_iter().chain(more).collect(),
            }
        });
        Section {
            exports: self.exports.to_vec(),
            part: self.part,
            about: self.about,
            by: "credential",
            columns: PACKAGES.to_vec(),
            documented: self.documented,
            rows: rows.collect(),
        }
    }

    fn called(&self, world: &World, package: &str, kind: Kind) -> u32 {
        let mut statuses = self.exports.iter().map(|name| {
            let mut on = world.of_kind(package, kind);
            (self.call)(world, world.function(name), name.ends_with('W'), package, kind, &mut on)
        });
        let first = statuses.next().unwrap();
        assert!(statuses.all(|status| status == first), "{:?} differ for {kind:?} of {package}", self.exports);
        first
    }
}

/// Who acquires, and how.
#[derive(Clone, Copy)]
enum Who {
    /// NULL.
    Nobody,
    /// An identity of empty strings.
    Nameless,
    Ann,
    /// Ann, whose package list excludes NTLM.
    WithoutNtlm,
}

fn acquire(function: Function, wide: bool, package: Option<&str>, direction: usize, who: Who) -> u32 {
    acquire_as(function, wide, package, direction, who, 0)
}

fn acquire_as(function: Function, wide: bool, package: Option<&str>, direction: usize, who: Who, luid: usize) -> u32 {
    let mut package = package.map(|name| text(name, wide));
    let mut plain = match who {
        Who::Nameless => Identity::new("", "", ""),
        _ => Identity::new(USER, DOMAIN, PASSWORD),
    };
    let mut list = *b"!ntlm";
    let length = u32::try_from(size_of::<IdentityExA>()).unwrap();
    let mut extended = IdentityExA { version: 0x200, length, plain: plain.structure, list: at(&mut list), list_len: 5 };
    let identity = match who {
        Who::Nobody => 0,
        Who::Nameless | Who::Ann => at(&mut plain.structure),
        Who::WithoutNtlm => at(&mut extended),
    };
    let (mut credential, mut expiry) = (SecHandle::INVALID, 0_i64);
    let package = package.as_mut().map_or(0, |name| at(&mut name[0]));
    let status = function.call(&[0, package, direction, luid, identity, 0, 0, at(&mut credential), at(&mut expiry)]);
    assert_eq!(status == 0, credential != SecHandle::INVALID, "a handle comes with SEC_E_OK alone");
    assert_eq!(expiry, if status == 0 { i64::MAX } else { 0 });
    status
}

const ACQUIRE: &str = "`AcquireCredentialsHandle (NTLM)`, `(Negotiate)`";
const BAD_USE: &str = "`AcquireCredentialsHandle (General)`: SEC_E_UNKNOWN_CREDENTIALS";

const ACQUIRED: Family = Family {
    exports: &["AcquireCredentialsHandleA", "AcquireCredentialsHandleW"],
    part: "",
    about: "A store is configured.",
    columns: &PACKAGES,
    documented: &[
        "SEC_E_OK",
        "SEC_E_INVALID_HANDLE",
        "SEC_E_NO_CREDENTIALS",
        "SEC_E_NOT_OWNER",
        "SEC_E_SECPKG_NOT_FOUND",
        "SEC_E_UNKNOWN_CREDENTIALS",
    ],
    cases: &[
        Case {
            case: "inbound",
            call: |_, function, wide, package| acquire(function, wide, Some(package), INBOUND, Who::Nobody),
            source: ACQUIRE,
            tests: &["vectors::every_vector_ends_in_c_as_it_says", "freerdp::store::those_of_the_store_are_let_in"],
        },
        Case {
            case: "inbound, an account",
            call: |_, function, wide, package| acquire(function, wide, Some(package), INBOUND, Who::Ann),
            source: "*ours*: the only account that is let in",
            tests: &[],
        },
        Case {
            case: "outbound, an account",
            call: |_, function, wide, package| acquire(function, wide, Some(package), OUTBOUND, Who::Ann),
            source: ACQUIRE,
            tests: &["freerdp::initiator::is_let_in"],
        },
        Case {
            case: "outbound, an identity of empty strings",
            call: |_, function, wide, package| acquire(function, wide, Some(package), OUTBOUND, Who::Nameless),
            source: "`AcquireCredentialsHandle (NTLM)`: a client without a name",
            tests: &[],
        },
        Case {
            case: "outbound, no identity",
            call: |_, function, wide, package| acquire(function, wide, Some(package), OUTBOUND, Who::Nobody),
            source: "`AcquireCredentialsHandle (General)`: SEC_E_NO_CREDENTIALS; there is no logon session to take them from",
            tests: &[],
        },
        Case {
            case: "both, an account",
            call: |_, function, wide, package| acquire(function, wide, Some(package), INBOUND | OUTBOUND, Who::Ann),
            source: ACQUIRE,
            tests: &[],
        },
        Case {
            case: "both, no identity",
            call: |_, function, wide, package| acquire(function, wide, Some(package), INBOUND | OUTBOUND, Who::Nobody),
            source: "*ours*: it accepts, and has nobody to initiate as",
            tests: &[],
        },
        Case {
            case: "inbound, a package list without NTLM",
            call: |_, function, wide, package| acquire(function, wide, Some(package), INBOUND, Who::WithoutNtlm),
            source: "`AcquireCredentialsHandle (Negotiate)`: PackageList; none is left. NTLM has no list",
            tests: &["vectors::a_list_that_leaves_no_mechanism"],
        },
        Case {
            case: "neither direction",
            call: |_, function, wide, package| acquire(function, wide, Some(package), 0, Who::Ann),
            source: BAD_USE,
            tests: &[],
        },
        Case {
            case: "SECPKG_CRED_DEFAULT",
            call: |_, function, wide, package| acquire(function, wide, Some(package), 4, Who::Ann),
            source: BAD_USE,
            tests: &[],
        },
        Case {
            case: "inbound, SECPKG_CRED_AUTOLOGON_RESTRICTED",
            call: |_, function, wide, package| acquire(function, wide, Some(package), INBOUND | 0x10, Who::Nobody),
            source: "`AcquireCredentialsHandle (Negotiate)`: there is no logon that could be used",
            tests: &[],
        },
        Case {
            case: "inbound, SECPKG_CRED_PROCESS_POLICY_ONLY",
            call: |_, function, wide, package| acquire(function, wide, Some(package), INBOUND | 0x20, Who::Nobody),
            source: "`AcquireCredentialsHandle (Negotiate)`: SEC_E_NO_CREDENTIALS; NTLM does not know it",
            tests: &[],
        },
        Case {
            case: "inbound, another's LUID",
            call: |_, function, wide, package| {
                let mut luid = 7_u64;
                acquire_as(function, wide, Some(package), INBOUND, Who::Nobody, at(&mut luid))
            },
            source: "`AcquireCredentialsHandle (General)`: SEC_E_NOT_OWNER",
            tests: &[],
        },
        Case {
            case: "no package: NULL",
            call: |_, function, wide, _| acquire(function, wide, None, INBOUND, Who::Nobody),
            source: "`AcquireCredentialsHandle (General)`: SEC_E_SECPKG_NOT_FOUND",
            tests: &[],
        },
        Case {
            case: "nowhere to put the handle: NULL",
            call: |_, function, wide, package| {
                let mut package = text(package, wide);
                function.call(&[0, at(&mut package[0]), INBOUND, 0, 0, 0, 0, 0, 0])
            },
            source: "*ours*",
            tests: &[],
        },
    ],
};

/// What later packages bring: all that take a package's name.
const LATER: Family = Family {
    exports: &["AcquireCredentialsHandleA", "AcquireCredentialsHandleW"],
    part: "packages that are not there yet",
    about: "Each comes with its package.",
    columns: crate::process::LATER,
    documented: &["SEC_E_SECPKG_NOT_FOUND"],
    cases: &[Case {
        case: "inbound",
        call: |_, function, wide, package| acquire(function, wide, Some(package), INBOUND, Who::Nobody),
        source: "`AcquireCredentialsHandle (General)`: SEC_E_SECPKG_NOT_FOUND; comes with the package",
        tests: &[],
    }],
};

pub fn sections(world: &World) -> Vec<Section> {
    let made = [ACQUIRED.section(world), LATER.section(world)];
    made.into_iter().chain(OF_CREDENTIALS.iter().map(|family| family.section(world))).collect()
}
