mod altered;
mod forms;
mod order;
mod recorded;
mod rotated;

use super::SessionKeys;
use crate::kerberos::crypto::{Enctype, Key};
use crate::protection::{Open, Protection, Seal};
use crate::{ContextFlags, Failure, Opened, Role, Secret, Segment};

const FULL: ContextFlags = ContextFlags(
    ContextFlags::CONFIDENTIALITY.0
        | ContextFlags::INTEGRITY.0
        | ContextFlags::REPLAY_DETECT.0
        | ContextFlags::SEQUENCE_DETECT.0,
);

const DCE: ContextFlags = ContextFlags(FULL.0 | ContextFlags::USE_DCE_STYLE.0);

/// The initiator's first number, and the acceptor's, which leaves four bytes soon.
const FIRST: (u64, u64) = (1000, 0xffff_fffe);

fn keys(enctype: Enctype, granted: ContextFlags, local: Role) -> SessionKeys {
    let bytes: Vec<u8> = (0..enctype.key_len()).map(|n| (n * 5 + 1) as u8).collect();
    let (send, recv) = match local {
        Role::Initiator => FIRST,
        Role::Acceptor => (FIRST.1, FIRST.0),
    };
    SessionKeys::new(Key::new(enctype, &bytes).unwrap(), enctype != Enctype::Rc4, local)
        .starting_at(send, recv)
        .granting(granted)
        .drawing_from(Secret::new([local as u8 + 1; 32]))
}

/// One side's halves, and what both say of their lengths.
struct Side {
    seal: Box<dyn Seal>,
    open: Box<dyn Open>,
    signature: usize,
    trailer: usize,
}

impl Side {
    fn of(keys: &SessionKeys) -> Self {
        let (seal, open) = keys.halves();
        let sizes = keys.sizes();
        Self { seal, open, signature: sizes.max_signature as usize, trailer: sizes.security_trailer as usize }
    }

    fn sign(&mut self, data: &[u8]) -> Vec<u8> {
        let mut token = vec![0xcc; self.signature];
        let len = self.seal.sign(&mut [Segment::SignOnly(data), Segment::Token(&mut token)]).unwrap();
        token.truncate(len);
        token
    }

    fn verify(&mut self, data: &[u8], token: &[u8]) -> Result<(), Failure> {
        self.open.verify(&mut [Segment::SignOnly(data), Segment::Token(&mut token.to_vec())])
    }

    /// Token and data.
    fn seal(&mut self, data: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (mut token, mut data) = (vec![0xcc; self.trailer], data.to_vec());
        let len = self.seal.seal(&mut [Segment::Token(&mut token), Segment::Data(&mut data)]).unwrap();
        token.truncate(len);
        (token, data)
    }

    fn seal_plain(&mut self, data: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (mut token, mut sent) = (vec![0xcc; self.trailer], data.to_vec());
        let len = self.seal.seal_plain(&mut [Segment::Token(&mut token), Segment::Data(&mut sent)]).unwrap();
        token.truncate(len);
        assert_eq!(sent, data, "it stays readable");
        (token, sent)
    }

    fn unseal(&mut self, token: &[u8], data: &[u8]) -> Result<(Opened, Vec<u8>), Failure> {
        let (mut token, mut data) = (token.to_vec(), data.to_vec());
        let opened = self.open.unseal(&mut [Segment::Token(&mut token), Segment::Data(&mut data)]);
        if opened.is_err() {
            assert!(data.iter().all(|byte| *byte == 0), "what is not verified is not shown");
        }
        opened.map(|opened| (opened, data))
    }

    fn wrap(&mut self, data: &[u8], enciphered: bool) -> Vec<u8> {
        let mut out = Vec::new();
        self.seal.wrap(data, enciphered, &mut out).unwrap();
        out
    }

    /// What lies in a whole token, and whether it was enciphered.
    fn unwrap(&mut self, token: &[u8]) -> Result<(Vec<u8>, bool), Failure> {
        let mut stream = token.to_vec();
        match self.open.unseal(&mut [Segment::Stream(&mut stream)]) {
            Ok(opened) => Ok((stream[opened.data.unwrap()].to_vec(), opened.enciphered)),
            Err(failure) => {
                assert!(stream.iter().all(|byte| *byte == 0), "what is not verified is not shown");
                Err(failure)
            }
        }
    }
}

/// Initiator and acceptor.
fn pair(enctype: Enctype, granted: ContextFlags) -> [Side; 2] {
    [Role::Initiator, Role::Acceptor].map(|local| Side::of(&keys(enctype, granted, local)))
}

fn cause<T>(result: Result<T, Failure>) -> &'static str {
    result.map_or_else(|failure| failure.cause.name(), |_| "ok")
}

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 31 + n / 256 + 5) as u8).collect()
}

fn hex(text: &str) -> Vec<u8> {
    let text = if text == "-" { "" } else { text };
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
