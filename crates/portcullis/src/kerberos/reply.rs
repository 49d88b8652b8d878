//! The server's reply: the proof that it could open the ticket, and the keys that both go on with.

use super::Cause;
use super::authenticator::Proof;
use super::crypto::{Enctype, Key};
use super::drawn::Drawn;
use crate::{Failure, Secret};
use portcullis_wire::der::Oid;
use portcullis_wire::kerberos::{
    ApRep, Authenticator, EncApRepPart, EncryptedData, EncryptionKey, InnerToken, frame_token,
};
use portcullis_wire::spnego::{KERBEROS, KERBEROS_MICROSOFT, KERBEROS_USER_TO_USER};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

/// RFC 4120 §7.5.1: the encrypted part of an AP-REP.
pub(super) const USAGE_AP_REP: u32 = 12;

/// What stands around a token: replies have what the request had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    /// None, as in DCE style.
    Bare,
    /// GSS-API's, with the mechanism's OID.
    Gss(Oid<'static>),
}

impl Frame {
    /// The frame of a token that names `mechanism`; `None` for one that is not Kerberos.
    pub(super) fn of(mechanism: Option<Oid<'_>>) -> Option<Self> {
        match mechanism {
            None => Some(Self::Bare),
            Some(oid) => [KERBEROS, KERBEROS_MICROSOFT, KERBEROS_USER_TO_USER]
                .into_iter()
                .find(|known| *known == oid)
                .map(Self::Gss),
        }
    }

    /// Puts it around a message.
    pub(super) fn around(self, kind: InnerToken, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Bare => message.to_vec(),
            Self::Gss(oid) => {
                let mut out = Vec::with_capacity(message.len() + 24);
                frame_token(oid, kind, message, &mut out);
                out
            }
        }
    }
}

/// A reply, and the keys after it.
pub(super) struct Made {
    /// The AP-REP in its frame; empty where the client wants none.
    pub(super) token: Vec<u8>,
    /// The same without its frame.
    pub(super) message: Vec<u8>,
    pub(super) key: Key,
    pub(super) acceptor_subkey: bool,
    pub(super) send_seq: u64,
}

/// Makes the reply that a client wants, and chooses the key that both sides use from now on.
pub(super) fn make(
    session: &Key,
    proof: &Proof<'_>,
    authenticator: &Authenticator<'_>,
    (mutual, dce): (bool, bool),
    frame: Frame,
    drawn: &Drawn,
) -> Result<Made, Failure> {
    let base = proof.subkey.as_ref().unwrap_or(session);
    if !mutual {
        // Without a reply nobody knows a number of ours: both count from the client's.
        return Ok(Made {
            token: Vec::new(),
            message: Vec::new(),
            key: base.duplicate(),
            acceptor_subkey: false,
            send_seq: proof.seq.into(),
        });
    }
    let enctype = proof.enctypes.first().copied().unwrap_or(base.enctype());
    // RC4 goes on with the client's key, as Windows does; everything newer with one of ours (RFC 4121 §2).
    let subkey = match enctype {
        Enctype::Rc4 if !dce => None,
        _ => drawn.subkey.expose().get(..enctype.key_len()).and_then(|bytes| Key::new(enctype, bytes)),
    };
    let part = EncApRepPart {
        ctime: authenticator.ctime,
        cusec: authenticator.cusec,
        subkey: subkey.as_ref().map(|key| EncryptionKey { etype: key.enctype().number(), value: key.bytes() }),
        seq_number: Some(drawn.seq),
    };
    let message = sealed(&part, session, &drawn.confounder);
    let acceptor_subkey = subkey.is_some();
    Ok(Made {
        token: frame.around(InnerToken::ApRep, &message),
        message,
        key: subkey.unwrap_or_else(|| base.duplicate()),
        acceptor_subkey,
        send_seq: drawn.seq.into(),
    })
}

/// An AP-REP with this part, under the session key.
pub(super) fn sealed(part: &EncApRepPart<'_>, session: &Key, confounder: &[u8; 16]) -> Vec<u8> {
    let mut plain = Secret::new(Vec::with_capacity(128));
    part.encode(plain.expose_mut());
    let (cipher, mut encrypted) = (session.cipher(USAGE_AP_REP), Vec::with_capacity(192));
    cipher.encrypt(confounder, plain.expose(), &mut encrypted);
    let enc_part = EncryptedData { etype: session.enctype().number(), kvno: None, cipher: &encrypted };
    let mut message = Vec::with_capacity(encrypted.len() + 32);
    ApRep { enc_part }.encode(&mut message);
    message
}

/// Opens an AP-REP's part.
pub(super) fn opened(message: &ApRep<'_>, session: &Key) -> Option<Secret<Vec<u8>>> {
    let data = &message.enc_part;
    let mut buffer = Secret::new(data.cipher.to_vec());
    if data.etype != session.enctype().number() {
        return None;
    }
    session.cipher(USAGE_AP_REP).open(buffer.expose_mut()).ok()?;
    Some(buffer)
}

/// What the last message of DCE style must be made with.
pub(super) struct ThirdLeg {
    session: Key,
    seq: u64,
    /// Our own AP-REP.
    sent: Vec<u8>,
}

impl ThirdLeg {
    pub(super) fn new(session: Key, seq: u64, sent: Vec<u8>) -> Self {
        Self { session, seq, sent }
    }

    /// Checks the client's AP-REP: under the session key, with our sequence number. Ours is such a message too; whoever
    /// sends it back need not have the key.
    pub(super) fn check(&self, body: &[u8]) -> Result<(), Cause> {
        let message = ApRep::decode(body).map_err(Cause::Malformed)?;
        let own = ApRep::decode(&self.sent).map_err(Cause::Malformed)?;
        if message.enc_part.cipher == own.enc_part.cipher {
            return Err(Cause::ThirdLegWrong);
        }
        let plain = opened(&message, &self.session).ok_or(Cause::ThirdLegWrong)?;
        let part = EncApRepPart::decode(plain.expose()).map_err(Cause::Malformed)?;
        let seq = u64::from(part.seq_number.ok_or(Cause::ThirdLegWrong)?);
        if bool::from(seq.ct_eq(&self.seq)) { Ok(()) } else { Err(Cause::ThirdLegWrong) }
    }
}

/// What an authenticator is known by: its MAC, and the key that opened the ticket. Names have no part in it.
pub(super) fn tag(data: &EncryptedData<'_>, key_id: &[u8; 16]) -> [u8; 16] {
    let mac = match Enctype::from_number(data.etype) {
        // RFC 4757 puts the MAC first, all others last.
        Some(Enctype::Rc4) => data.cipher.get(..Enctype::Rc4.mac_len()),
        Some(enctype) => data.cipher.len().checked_sub(enctype.mac_len()).and_then(|at| data.cipher.get(at..)),
        None => None,
    };
    let digest = Sha256::new_with_prefix(b"portcullis: an authenticator that was seen\0")
        .chain_update(key_id)
        .chain_update(mac.unwrap_or(data.cipher))
        .finalize();
    let mut tag = [0; 16];
    tag.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
    tag
}
