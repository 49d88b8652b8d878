//! What is called without a handle: packages, memory, and what is the process' own.

use crate::cases::{Case, Family, STATUS};
use crate::document::Section;
use crate::sspi::{Function, at};
use crate::world::{DOMAIN, PACKAGES, PASSWORD, USER, WRONG, World, text};

/// Packages of Windows that come later.
pub const LATER: &[&str] = &["WDigest", "CREDSSP"];

pub fn sections(world: &World) -> Vec<Section> {
    FAMILIES.iter().map(|family| family.section(world)).collect()
}

const FAMILIES: &[Family] = &[
    Family {
        exports: &["EnumerateSecurityPackagesA", "EnumerateSecurityPackagesW"],
        part: "",
        about: "",
        columns: STATUS,
        documented: &["SEC_E_OK", "SEC_E_INVALID_PARAMETER"],
        cases: &[
            Case {
                case: "both variables",
                call: |world, function, _, _| {
                    let (mut count, mut infos) = (0_u32, 0_usize);
                    let status = function.call(&[at(&mut count), at(&mut infos)]);
                    assert_eq!(count as usize, PACKAGES.len() + 4);
                    assert_eq!(world.function("FreeContextBuffer").call(&[infos]), 0);
                    status
                },
                source: "`EnumerateSecurityPackages`",
                tests: &[],
            },
            Case {
                case: "a variable is NULL",
                call: |_, function, _, _| {
                    let mut infos = 0_usize;
                    let status = function.call(&[0, at(&mut infos)]);
                    assert_eq!(infos, 0);
                    status
                },
                source: "*ours*",
                tests: &[],
            },
        ],
    },
    Family {
        exports: &["QuerySecurityPackageInfoA", "QuerySecurityPackageInfoW"],
        part: "",
        about: "",
        columns: &PACKAGES,
        documented: &["SEC_E_OK", "SEC_E_INVALID_PARAMETER", "SEC_E_SECPKG_NOT_FOUND"],
        cases: &[
            Case {
                case: "its name",
                call: |_, function, wide, package| package_info(function, Some(package), wide),
                source: "`QuerySecurityPackageInfo`",
                tests: &["freerdp::store::those_of_the_store_are_let_in"],
            },
            Case {
                case: "its name in capitals",
                call: |_, function, wide, package| package_info(function, Some(&package.to_uppercase()), wide),
                source: "`QuerySecurityPackageInfo`; Windows compares without regard to case",
                tests: &[],
            },
            Case {
                case: "no name: NULL",
                call: |_, function, wide, _| package_info(function, None, wide),
                source: "`QuerySecurityPackageInfo`: SEC_E_SECPKG_NOT_FOUND",
                tests: &[],
            },
            Case {
                case: "nowhere to put it: NULL",
                call: |_, function, wide, package| function.call(&[at(&mut text(package, wide)[0]), 0]),
                source: "*ours*",
                tests: &[],
            },
        ],
    },
    Family {
        exports: &["QuerySecurityPackageInfoA", "QuerySecurityPackageInfoW"],
        part: "packages that are not there yet",
        about: "Each comes with its package.",
        columns: LATER,
        documented: &["SEC_E_SECPKG_NOT_FOUND"],
        cases: &[Case {
            case: "its name",
            call: |_, function, wide, package| package_info(function, Some(package), wide),
            source: "`QuerySecurityPackageInfo`: SEC_E_SECPKG_NOT_FOUND; comes with the package",
            tests: &[],
        }],
    },
    Family {
        exports: &["AddSecurityPackageA", "AddSecurityPackageW", "DeleteSecurityPackageA", "DeleteSecurityPackageW"],
        part: "",
        about: "",
        columns: STATUS,
        documented: &["SEC_E_UNSUPPORTED_FUNCTION"],
        cases: &[Case {
            case: "a name",
            call: |_, function, wide, _| function.call(&[at(&mut text("another.dll", wide)[0]), 0]),
            source: "`AddSecurityPackage`, `DeleteSecurityPackage`: of DLLs; *ours*: packages are built in, and none is loaded, ever",
            tests: &[],
        }],
    },
    Family {
        exports: &["FreeContextBuffer"],
        part: "",
        about: "",
        columns: STATUS,
        documented: &["SEC_E_OK", "SEC_E_INVALID_HANDLE"],
        cases: &[
            Case {
                case: "what the library gave",
                call: |world, function, _, _| function.call(&[given(world)]),
                source: "`FreeContextBuffer`",
                tests: &[],
            },
            Case {
                case: "the same again",
                call: |world, function, _, _| {
                    let given = given(world);
                    assert_eq!(function.call(&[given]), 0);
                    function.call(&[given])
                },
                source: "`FreeContextBuffer`: an error for what is not its; *ours*: which",
                tests: &[],
            },
            Case {
                case: "what the library did not give",
                call: |_, function, _, _| function.call(&[at(&mut [0_u64; 4])]),
                source: "`FreeContextBuffer`: an error for what is not its; *ours*: which",
                tests: &[],
            },
            Case {
                case: "nothing: NULL",
                call: |_, function, _, _| function.call(&[0]),
                source: "*ours*, as `free`",
                tests: &[],
            },
        ],
    },
    Family {
        exports: &["ChangeAccountPasswordA", "ChangeAccountPasswordW"],
        part: "",
        about: "A store is configured, unless the case says otherwise.",
        columns: &PACKAGES,
        documented: &[
            "SEC_E_OK",
            "SEC_E_INVALID_PARAMETER",
            "SEC_E_LOGON_DENIED",
            "SEC_E_NO_AUTHENTICATING_AUTHORITY",
            "STATUS_PASSWORD_RESTRICTION",
        ],
        cases: &[
            Case {
                case: "the old one is right",
                call: |_, f, wide, package| change(f, wide, package, DOMAIN, Some(USER), PASSWORD, Some(PASSWORD)),
                source: "`ChangeAccountPassword`",
                tests: &[],
            },
            Case {
                case: "the old one is wrong",
                call: |_, f, wide, package| change(f, wide, package, DOMAIN, Some(USER), WRONG, Some(PASSWORD)),
                source: "`ChangeAccountPassword`: an error; *ours*: as a logon",
                tests: &[],
            },
            Case {
                case: "an unknown user",
                call: |_, f, wide, package| change(f, wide, package, DOMAIN, Some("nobody"), WRONG, Some(PASSWORD)),
                source: "`ChangeAccountPassword`: an error; *ours*: as a logon",
                tests: &[],
            },
            Case {
                case: "another domain",
                call: |_, f, wide, package| change(f, wide, package, "ELSEWHERE", Some(USER), PASSWORD, Some(PASSWORD)),
                source: "`ChangeAccountPassword`: an error; *ours*: as a logon",
                tests: &[],
            },
            Case {
                case: "the new one is empty",
                call: |_, f, wide, package| change(f, wide, package, DOMAIN, Some(USER), PASSWORD, Some("")),
                source: "`ChangeAccountPassword`: an NTSTATUS; MS-SAMR: STATUS_PASSWORD_RESTRICTION",
                tests: &[],
            },
            Case {
                case: "no user: NULL",
                call: |_, f, wide, package| change(f, wide, package, DOMAIN, None, PASSWORD, Some(PASSWORD)),
                source: "*ours*",
                tests: &[],
            },
            Case {
                case: "no new one: NULL",
                call: |_, f, wide, package| change(f, wide, package, DOMAIN, Some(USER), PASSWORD, None),
                source: "*ours*",
                tests: &[],
            },
            Case {
                case: "no store is configured",
                call: |world, f, wide, package| {
                    assert_eq!(world.library.set_authority("none"), 0);
                    let status = change(f, wide, package, DOMAIN, Some(USER), PASSWORD, Some(PASSWORD));
                    assert_eq!(world.library.set_authority(&world.store()), 0);
                    status
                },
                source: "as AcceptSecurityContext: SEC_E_NO_AUTHENTICATING_AUTHORITY",
                tests: &[],
            },
        ],
    },
    Family {
        exports: &["PortcullisSetAuthority"],
        part: "",
        about: "",
        columns: STATUS,
        documented: &["SEC_E_OK", "SEC_E_INVALID_PARAMETER", "SEC_E_NO_AUTHENTICATING_AUTHORITY"],
        cases: &[
            Case {
                case: "a store",
                call: |world, _, _, _| world.library.set_authority(&world.store()),
                source: "*ours*",
                tests: &["vectors::every_vector_ends_in_c_as_it_says"],
            },
            Case {
                case: "`none`, then NULL: the configuration's",
                call: |world, function, _, _| {
                    assert_eq!(world.library.set_authority("none"), 0);
                    let status = function.call(&[0]);
                    assert_eq!(world.library.set_authority(&world.store()), 0);
                    status
                },
                source: "*ours*",
                tests: &[],
            },
            Case {
                case: "a folder that is not there",
                call: |world, _, _, _| world.library.set_authority("sqlite:/nonexistent/portcullis"),
                source: "*ours*; the one before stays",
                tests: &[],
            },
            Case {
                case: "a socket that is not there",
                call: |world, _, _, _| world.library.set_authority("unix:/nonexistent/portcullis"),
                source: "*ours*; the one before stays",
                tests: &[],
            },
            Case {
                case: "another form",
                call: |world, _, _, _| world.library.set_authority("ldap://corp.example"),
                source: "*ours*",
                tests: &[],
            },
        ],
    },
    Family {
        exports: &["PortcullisSetLog"],
        part: "",
        about: "",
        columns: STATUS,
        documented: &["SEC_E_OK"],
        cases: &[Case {
            case: "no function: NULL",
            call: |_, function, _, _| function.call(&[0, 0]),
            source: "*ours*: turns it off",
            tests: &[],
        }],
    },
    Family {
        exports: &["PortcullisLastCause"],
        part: "",
        about: "",
        columns: STATUS,
        documented: &["SEC_E_OK", "SEC_E_INVALID_PARAMETER", "SEC_E_BUFFER_TOO_SMALL"],
        cases: &[
            Case {
                case: "after a refusal",
                call: |world, _, _, _| {
                    world.log_on("NTLM", USER, DOMAIN, WRONG);
                    assert_eq!(world.library.last_cause(), "account/wrong-proof");
                    0
                },
                source: "*ours*",
                tests: &["vectors::every_vector_ends_in_c_as_it_says"],
            },
            Case {
                case: "after a refusal, too small a buffer",
                call: |world, function, _, _| {
                    world.log_on("NTLM", USER, DOMAIN, WRONG);
                    function.call(&[at(&mut [0_u8; 8]), 8])
                },
                source: "*ours*",
                tests: &[],
            },
            Case {
                case: "no buffer: NULL",
                call: |_, function, _, _| function.call(&[0, 0]),
                source: "*ours*",
                tests: &[],
            },
        ],
    },
];

fn package_info(function: Function, name: Option<&str>, wide: bool) -> u32 {
    let mut name = name.map(|name| text(name, wide));
    let mut info = 0_usize;
    let status = function.call(&[name.as_mut().map_or(0, |name| at(&mut name[0])), at(&mut info)]);
    assert_eq!(status == 0, info != 0, "what is told comes with SEC_E_OK alone");
    status
}

/// Memory of the library's.
fn given(world: &World) -> usize {
    let (mut count, mut infos) = (0_u32, 0_usize);
    let enumerate = world.function("EnumerateSecurityPackagesA");
    assert_eq!(enumerate.call(&[at(&mut count), at(&mut infos)]), 0);
    infos
}

fn change(
    function: Function,
    wide: bool,
    package: &str,
    domain: &str,
    user: Option<&str>,
    old: &str,
    new: Option<&str>,
) -> u32 {
    let mut texts = [Some(package), Some(domain), user, Some(old), new].map(|part| part.map(|part| text(part, wide)));
    let [package, domain, user, old, new] =
        texts.each_mut().map(|part| part.as_mut().map_or(0, |part| at(&mut part[0])));
    function.call(&[package, domain, user, old, new, 0, 0, 0])
}
