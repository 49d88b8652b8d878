//! What is signed and sealed, with what else the functions take.

use crate::cases::{Case, Family};
use crate::document::Section;
use crate::sspi::{DATA, Function, SecBuffer, SecBufferDesc, TOKEN, at};
use crate::world::{Fixture, PACKAGES, State, World};

pub fn sections(world: &World) -> Vec<Section> {
    FAMILIES.iter().map(|family| family.section(world)).collect()
}

const FAMILIES: &[Family] = &[
    Family {
        exports: &["MakeSignature"],
        part: "what is beside the handle",
        about: "An acceptor's context.",
        columns: &PACKAGES,
        documented: &["SEC_E_BUFFER_TOO_SMALL", "SEC_E_INVALID_TOKEN", "SEC_E_QOP_NOT_SUPPORTED"],
        cases: &[
            Case {
                case: "no TOKEN buffer",
                call: |world, function, _, package| protect(world, function, package, &[(DATA, 5)], 0),
                source: "`MakeSignature`: SEC_E_INVALID_TOKEN",
                tests: &[],
            },
            Case {
                case: "a TOKEN buffer of 15 bytes",
                call: |world, function, _, package| protect(world, function, package, &[(TOKEN, 15), (DATA, 5)], 0),
                source: "MS-NLMP 2.2.2.9: signatures have 16 bytes; *ours*: the status",
                tests: &[],
            },
            Case {
                case: "SECQOP_WRAP_NO_ENCRYPT",
                call: |world, function, _, package| {
                    protect(world, function, package, &[(TOKEN, 16), (DATA, 5)], 0x8000_0001)
                },
                source: "`MakeSignature`: SEC_E_QOP_NOT_SUPPORTED",
                tests: &[],
            },
        ],
    },
    Family {
        exports: &["EncryptMessage", "SealMessage"],
        part: "what is beside the handle",
        about: "An acceptor's context.",
        columns: &PACKAGES,
        documented: &["SEC_E_BUFFER_TOO_SMALL", "SEC_E_INVALID_TOKEN", "SEC_E_QOP_NOT_SUPPORTED"],
        cases: &[
            Case {
                case: "no TOKEN buffer",
                call: |world, function, _, package| protect(world, function, package, &[(DATA, 5)], 0),
                source: "`EncryptMessage (General)`: SEC_E_INVALID_TOKEN",
                tests: &[],
            },
            Case {
                case: "no DATA buffer",
                call: |world, function, _, package| protect(world, function, package, &[(TOKEN, 16)], 0),
                source: "`EncryptMessage (General)`: SEC_E_INVALID_TOKEN",
                tests: &[],
            },
            Case {
                case: "a TOKEN buffer of 15 bytes",
                call: |world, function, _, package| protect(world, function, package, &[(TOKEN, 15), (DATA, 5)], 0),
                source: "`EncryptMessage (General)`: SEC_E_BUFFER_TOO_SMALL",
                tests: &[],
            },
            Case {
                case: "SECQOP_WRAP_NO_ENCRYPT",
                call: |world, function, _, package| {
                    protect(world, function, package, &[(TOKEN, 16), (DATA, 5)], 0x8000_0001)
                },
                source: "`EncryptMessage (General)`: SEC_E_QOP_NOT_SUPPORTED; Kerberos has it",
                tests: &[],
            },
        ],
    },
    Family {
        exports: &["VerifySignature"],
        part: "messages that are not as the peer sent them",
        about: "",
        columns: &PACKAGES,
        documented: &["SEC_E_MESSAGE_ALTERED", "SEC_E_INVALID_TOKEN", "SEC_E_OUT_OF_SEQUENCE"],
        cases: &[
            Case {
                case: "altered",
                call: |world, function, _, package| heard(world, function, package, false, Change::Altered),
                source: "`VerifySignature`: SEC_E_MESSAGE_ALTERED",
                tests: &[],
            },
            Case {
                case: "the same again",
                call: |world, function, _, package| heard(world, function, package, false, Change::Again),
                source: "`VerifySignature`: SEC_E_OUT_OF_SEQUENCE",
                tests: &[],
            },
            Case {
                case: "no TOKEN buffer",
                call: |world, function, _, package| heard(world, function, package, false, Change::Bare),
                source: "`VerifySignature`: SEC_E_INVALID_TOKEN",
                tests: &[],
            },
        ],
    },
    Family {
        exports: &["DecryptMessage", "UnsealMessage"],
        part: "messages that are not as the peer sent them",
        about: "",
        columns: &PACKAGES,
        documented: &["SEC_E_MESSAGE_ALTERED", "SEC_E_INVALID_TOKEN", "SEC_E_OUT_OF_SEQUENCE"],
        cases: &[
            Case {
                case: "altered",
                call: |world, function, _, package| heard(world, function, package, true, Change::Altered),
                source: "`DecryptMessage (General)`: SEC_E_MESSAGE_ALTERED",
                tests: &[],
            },
            Case {
                case: "the same again",
                call: |world, function, _, package| heard(world, function, package, true, Change::Again),
                source: "`DecryptMessage (General)`: SEC_E_OUT_OF_SEQUENCE",
                tests: &[],
            },
            Case {
                case: "no TOKEN buffer",
                call: |world, function, _, package| heard(world, function, package, true, Change::Bare),
                source: "`DecryptMessage (General)`: SEC_E_INVALID_TOKEN",
                tests: &[],
            },
        ],
    },
];

/// Signs or seals with buffers of these kinds and lengths.
fn protect(world: &World, function: Function, package: &str, kinds: &[(u32, usize)], quality: usize) -> u32 {
    let mut on = world.context(package, State::Acceptor);
    let mut bytes: Vec<Vec<u8>> = kinds.iter().map(|(_, len)| vec![0; *len]).collect();
    let mut buffers: Vec<_> =
        bytes.iter_mut().zip(kinds).map(|(bytes, (kind, _))| SecBuffer::new(*kind, bytes)).collect();
    let mut message = SecBufferDesc::new(&mut buffers);
    let status = function.call(&[on.at(), quality, at(&mut message), 0]);
    assert!(bytes.iter().flatten().all(|byte| *byte == 0), "what is refused changes nothing");
    // No sequence number was used up: the peer opens what comes next.
    let peer = Fixture { handle: on.peer, credential: on.credential, token: vec![], peer: on.handle };
    assert_eq!(verified(world, peer), 0);
    status
}

fn verified(world: &World, mut on: Fixture) -> u32 {
    let (mut signature, mut data) = world.message_of(on.peer, false);
    let mut buffers = [SecBuffer::new(TOKEN, &mut signature), SecBuffer::new(DATA, &mut data)];
    let mut message = SecBufferDesc::new(&mut buffers);
    world.function("VerifySignature").call(&[on.at(), at(&mut message), 0, 0])
}

/// What happened to a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Altered,
    Again,
    Bare,
}

fn heard(world: &World, function: Function, package: &str, seal: bool, change: Change) -> u32 {
    let mut on = world.context(package, State::Acceptor);
    let sent = world.message_of(on.peer, seal);
    let mut hear = |(mut signature, mut data): ([u8; 16], [u8; 5]), bare: bool| {
        let mut buffers = [SecBuffer::new(DATA, &mut data), SecBuffer::new(TOKEN, &mut signature)];
        let mut message = SecBufferDesc::new(if bare { &mut buffers[..1] } else { &mut buffers });
        function.call(&[on.at(), at(&mut message), 0, 0])
    };
    match change {
        Change::Altered => {
            let (signature, mut data) = sent;
            data[0] ^= 1;
            hear((signature, data), false)
        }
        Change::Again => {
            assert_eq!(hear(sent, false), 0);
            hear(sent, false)
        }
        Change::Bare => hear(sent, true),
    }
}
