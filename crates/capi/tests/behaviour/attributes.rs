//! Every attribute that a header knows, of contexts and credentials.

use crate::document::{Row, Section, folder};
use crate::sspi::{Function, at};
use crate::tickets::{self, Realm};
use crate::world::{Fixture, Kind, PACKAGES, State, World};
use std::collections::BTreeMap;
use std::fs;

/// Where a context of an attribute's column stands.
const COLUMNS: [(&str, &str, State); 16] = [
    ("NTLM acceptor", "NTLM", State::Acceptor),
    ("NTLM initiator", "NTLM", State::Initiator),
    ("Negotiate acceptor", "Negotiate", State::Acceptor),
    ("Negotiate initiator", "Negotiate", State::Initiator),
    ("imported (NTLM acceptor)", "NTLM", State::ImportedAcceptor),
    ("imported (Negotiate acceptor)", "Negotiate", State::ImportedAcceptor),
    ("half-open (NTLM)", "NTLM", State::HalfOpenAcceptor),
    ("half-open (Negotiate)", "Negotiate", State::HalfOpenAcceptor),
    ("COMPLETE_NEEDED (NTLM)", "NTLM", State::CompleteNeeded),
    ("COMPLETE_NEEDED (Negotiate)", "Negotiate", State::CompleteNeeded),
    ("Schannel acceptor", "Schannel", State::Acceptor),
    ("Schannel initiator", "Schannel", State::Initiator),
    ("half-open (Schannel)", "Schannel", State::HalfOpenAcceptor),
    ("Kerberos acceptor", "Kerberos", State::Acceptor),
    ("Kerberos initiator", "Kerberos", State::Initiator),
    ("half-open (Kerberos)", "Kerberos", State::HalfOpenAcceptor),
];

/// The last three are Schannel's: of what the peer has not, of a question that is not filled in, and of one that was not asked.
const STATUSES: &[&str] = &[
    "SEC_E_OK",
    "SEC_E_UNSUPPORTED_FUNCTION",
    "SEC_E_INVALID_HANDLE",
    "SEC_E_NO_CREDENTIALS",
    "SEC_E_INVALID_PARAMETER",
    "SEC_E_OUT_OF_SEQUENCE",
];

pub fn sections(world: &World, realm: &Realm) -> Vec<Section> {
    vec![set(world), of_contexts(world, realm), of_credentials(world)]
}

fn of_contexts(world: &World, realm: &Realm) -> Section {
    // Each with a context of its own library.
    let mut contexts: Vec<(Function, Fixture)> = COLUMNS
        .iter()
        .map(|(_, package, state)| match *package == tickets::PACKAGE {
            true => (realm.world.function("QueryContextAttributesW"), realm.context(*state)),
            false => (world.function("QueryContextAttributesW"), world.context(package, *state)),
        })
        .collect();
    let mut all = names("SECPKG_ATTR_");
    for id in 0..=37 {
        all.entry(id).or_insert("(not assigned)".into());
    }
    let rows = all.into_iter().chain(names("PORTCULLIS_ATTR_")).map(|(id, name)| Row {
        case: label(id, &name),
        statuses: contexts
            .iter_mut()
            .map(|(function, on)| {
                let mut value = [0_u64; 128];
                function.call(&[on.at(), id as usize, at(&mut value)])
            })
            .collect(),
        source: source(id).to_owned(),
        tests: vec![crate::HERE],
    });
    let rows = rows.collect();
    Section {
        exports: vec![
            "QueryContextAttributesA",
            "QueryContextAttributesW",
            "QueryContextAttributesExA",
            "QueryContextAttributesExW",
        ],
        part: "each attribute",
        about: "An attribute that a context does not have is SEC_E_UNSUPPORTED_FUNCTION; one that it does not have yet is \
            SEC_E_INVALID_HANDLE (`QueryContextAttributes (CredSSP)` says so of both).",
        by: "attribute",
        columns: COLUMNS.iter().map(|(column, ..)| *column).collect(),
        documented: STATUSES,
        rows,
    }
}

/// Which page an attribute is on.
fn source(id: u32) -> &'static str {
    match id {
        1 | 3 => "`QueryContextAttributes (NTLM)`, `(Negotiate)`; on either side the client's name",
        6 | 8 | 13 | 18 | 21 => {
            "`QueryContextAttributes (NTLM)`, `(Negotiate)`; of the client's account, which the client itself does not know"
        }
        9 | 30 | 37 => "sspi.h; of NTLM also through Negotiate, as Windows answers",
        11 => "sspi.h; of the server's logon",
        12 => "`QueryContextAttributes (Negotiate)`: also before the end, IN_PROGRESS",
        10 => "`QueryContextAttributes (NTLM)`, `(Negotiate)`; known from the beginning",
        31 | 32 => "sspi.h: Negotiate's",
        27 => "`QueryContextAttributes (NTLM)`, `(Negotiate)`: of the server's side; *ours*: also of the client's",
        0 | 2 | 5 | 14 => "`QueryContextAttributes (NTLM)`, `(Negotiate)`",
        23 | 28 | 29 => "sspi.h: no attribute has this number",
        15 | 33 => "sspi.h: inside Windows alone; never here",
        16 | 17 | 24 => {
            "`QueryContextAttributes (General)`: of a client's prompt and marshalled target; neither package has them"
        }
        19 | 20 => "sspi.h: Digest's; comes with Digest",
        22 => "sspi.h: NegoExtender's mechanisms have it; never for NTLM",
        4 | 7 | 25 | 26 | 34 | 35 | 36 | 0x50..=0x75 => {
            "`QueryContextAttributes (Schannel)`; of TLS 1.2 here, whose client has no certificate"
        }
        128 | 0x8000_0000.. => "`QueryContextAttributes (CredSSP)`: comes with CredSSP",
        1001 => "WinPR's sspi.h: who the client says it is, until CompleteAuthToken",
        1104..=1107 => "WinPR's sspi.h: what a hash callback computes with, until CompleteAuthToken",
        1003 | 1004 | 1100..=1103 | 1108 | 1109 => "WinPR's sspi.h: is set, not queried",
        2001 => "*ours*: of a client that forwards a ticket",
        2002 => "*ours*: MS-PAC 2.3",
        _ => panic!("attribute {id} has no source"),
    }
}

/// SetContextAttributes with what WinPR's hosts set, and what Schannel's do.
fn set(world: &World) -> Section {
    let function = world.function("SetContextAttributesW");
    let columns = [
        ("half-open (Schannel)", "Schannel", State::HalfOpenAcceptor),
        ("established (Schannel)", "Schannel", State::Acceptor),
        ("half-open (NTLM)", "NTLM", State::HalfOpenAcceptor),
        ("COMPLETE_NEEDED (NTLM)", "NTLM", State::CompleteNeeded),
        ("COMPLETE_NEEDED (Negotiate)", "Negotiate", State::CompleteNeeded),
        ("established (NTLM)", "NTLM", State::Acceptor),
        ("established (Negotiate)", "Negotiate", State::Acceptor),
    ];
    let winpr = names("PORTCULLIS_ATTR_").into_iter().filter(|(id, _)| !matches!(id, 1001 | 1104..=1107 | 2001..));
    let schannel =
        names("SECPKG_ATTR_").into_iter().filter(|(id, _)| matches!(id, 33 | 34 | 0x5E | 0x65 | 0x69 | 0x6A));
    let rows = winpr.chain(schannel).map(|(id, name)| Row {
        case: label(id, &name),
        statuses: columns
            .iter()
            .map(|(_, package, state)| {
                let mut on = world.context(package, *state);
                if id == 1003 {
                    return crate::contexts::set_hash(function, &mut on);
                }
                // A path, or the address of a function, or numbers: it is not called or opened before the end.
                let mut value = *b"/nonexistent/sam\0\0\0\0\0\0\0\0";
                function.call(&[on.at(), id as usize, at(&mut value), value.len()])
            })
            .collect(),
        source: match id {
            33 => "sspi.h: inside Windows alone; never here",
            1003 | 1004 | 1108 | 1109 => {
                "WinPR's sspi.h; FreeRDP's servers set it. *ours*: where a store judges, nobody else does"
            }
            1100..=1103 => "WinPR's sspi.h: its tests' fixed values; *ours*: nobody may choose a challenge",
            0x6A => "`SetContextAttributes`: Schannel's; here with numbers that make no sense",
            _ => "`SetContextAttributes`: Schannel's; *ours*: not here",
        }
        .to_owned(),
        tests: match id {
            1004 => vec![crate::HERE, "freerdp::sam::those_of_the_file_are_let_in"],
            _ => vec![crate::HERE],
        },
    });
    let rows = rows.collect();
    Section {
        exports: vec!["SetContextAttributesA", "SetContextAttributesW"],
        part: "each attribute",
        about: "The context that is half-open or established has a store that judges.",
        by: "attribute",
        columns: columns.iter().map(|(column, ..)| *column).collect(),
        documented: STATUSES,
        rows,
    }
}

fn of_credentials(world: &World) -> Section {
    let function = world.function("QueryCredentialsAttributesW");
    let kinds = [Kind::Inbound, Kind::Outbound];
    let all = [PACKAGES[0], PACKAGES[1], crate::streams::PACKAGE];
    let mut credentials: Vec<Fixture> =
        all.iter().flat_map(|package| kinds.map(|kind| world.of_kind(package, kind))).collect();
    let of_schannel = names("SECPKG_ATTR_").into_iter().filter(|(id, _)| matches!(id, 0x56..=0x58 | 0x60 | 0x73));
    let rows = names("SECPKG_CRED_ATTR_").into_iter().chain(of_schannel).map(|(id, name)| Row {
        case: label(id, &name),
        statuses: credentials
            .iter_mut()
            .map(|on| {
                let mut value = [0_u64; 128];
                function.call(&[on.at(), id as usize, at(&mut value)])
            })
            .collect(),
        source: match id {
            1 => "`QueryCredentialsAttributes`: of NTLM and Negotiate",
            3 | 5 => "`QueryCredentialsAttributes`: Kerberos'; *ours*: nobody asks a KDC here",
            2 => "sspi.h: of other providers; no package has it",
            4 => "sspi.h; *ours*: the certificate that is shown, where there is one",
            0x60 | 0x73 => "`QueryCredentialsAttributes (Schannel)`; *ours*: not here",
            _ => "`QueryCredentialsAttributes (Schannel)`",
        }
        .to_owned(),
        tests: vec![crate::HERE],
    });
    let rows = rows.collect();
    Section {
        exports: vec![
            "QueryCredentialsAttributesA",
            "QueryCredentialsAttributesW",
            "QueryCredentialsAttributesExA",
            "QueryCredentialsAttributesExW",
        ],
        part: "each attribute",
        about: "",
        by: "attribute",
        columns: vec![
            "NTLM inbound",
            "NTLM outbound",
            "Negotiate inbound",
            "Negotiate outbound",
            "Schannel inbound",
            "Schannel outbound",
        ],
        documented: STATUSES,
        rows,
    }
}

fn label(id: u32, name: &str) -> String {
    match id {
        0..0x50 | 128 | 1000..2000 => format!("{id} {name}"),
        _ => format!("{id:#x} {name}"),
    }
}

/// The header's attributes of this prefix, by number.
fn names(prefix: &str) -> BTreeMap<u32, String> {
    let header = fs::read_to_string(folder().join("include/portcullis/sspi.h")).unwrap();
    let mut names: BTreeMap<u32, String> = BTreeMap::new();
    for line in header.lines().filter_map(|line| line.strip_prefix("#define ")) {
        let mut words = line.split_whitespace();
        let (Some(name), Some(number)) = (words.next().and_then(|name| name.strip_prefix(prefix)), words.next()) else {
            continue;
        };
        let number = match number.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        if let Ok(number) = number
            && !name.starts_with("NEGO_INFO_FLAG")
        {
            names.entry(number).and_modify(|known| *known = format!("{known}, {name}")).or_insert(name.to_owned());
        }
    }
    assert!(!names.is_empty(), "{prefix}");
    names
}
