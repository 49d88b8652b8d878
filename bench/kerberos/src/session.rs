use portcullis::kerberos::crypto::{Cipher, Key};
use portcullis_wire::kerberos::{WrapHeader, token_flag};

/// How long the token beside a sealed message is: head, copy of the head, MAC, confounder.
pub const TOKEN: usize = 2 * WrapHeader::LEN + MAC + CONFOUNDER;

const MAC: usize = 12;
const CONFOUNDER: usize = 16;

/// The client's messages after a handshake, sealed as Windows has them: with data and token apart (RFC 4121 §4.2.4,
/// MS-KILE 3.4.5.4.1).
pub struct Session {
    send: Cipher,
    receive: Cipher,
    seq: u64,
}

impl Session {
    pub(crate) fn new(key: &Key, seq: u32) -> Self {
        // RFC 4121 §2: sealed by the initiator, by the acceptor.
        Self { send: key.cipher(24), receive: key.cipher(22), seq: seq.into() }
    }

    /// Seals a message to the server in place; gives its token.
    pub fn seal(&mut self, data: &mut [u8]) -> [u8; TOKEN] {
        let flags = token_flag::SEALED | token_flag::ACCEPTOR_SUBKEY;
        let header = WrapHeader { flags, ec: 0, rrc: 0, seq: self.seq };
        self.seq += 1;
        // Not random, but different: this side is not measured, and not secret.
        let confounder = u128::from(self.seq).to_ne_bytes();
        let mut sealed = Vec::new();
        self.send.encrypt(&confounder, &[&*data, &header.encode()].concat(), &mut sealed);
        let turned = WrapHeader::LEN + MAC;
        let (front, back) = sealed.split_at(sealed.len() - turned);
        let (confounder, enciphered) = front.split_at(CONFOUNDER);
        data.copy_from_slice(enciphered);
        let head = WrapHeader { rrc: turned as u16, ..header }.encode();
        [&head[..], back, confounder].concat().try_into().expect("the parts are of these lengths")
    }

    /// Opens a message of the server in place; whether it is whole, and says twice the same of itself.
    pub fn unseal(&mut self, data: &mut [u8], token: &[u8; TOKEN]) -> bool {
        let (head, rest) = token.split_at(WrapHeader::LEN);
        let (back, confounder) = rest.split_at(WrapHeader::LEN + MAC);
        let mut sealed = [confounder, &*data, back].concat();
        let Ok(plain) = self.receive.decrypt(&mut sealed) else { return false };
        let (plain, copy) = plain.split_at(data.len());
        data.copy_from_slice(plain);
        let (Ok(head), Ok(copy)) = (WrapHeader::decode(head), WrapHeader::decode(copy)) else { return false };
        let own = head.flags & token_flag::SENT_BY_ACCEPTOR != 0;
        own && WrapHeader { rrc: 0, ..head } == WrapHeader { rrc: 0, ..copy }
    }
}
