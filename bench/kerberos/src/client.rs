use crate::session::Session;
use crate::{REALM, SERVICE};
use portcullis::kerberos::crypto::{Enctype, Key};
use portcullis_wire::kerberos::{
    AD_ETYPE_NEGOTIATION, AD_IF_RELEVANT, ApOptions, ApRep, ApReq, Authenticator, AuthorizationData, Ccache, Checksum,
    EncApRepPart, EncryptedData, EncryptionKey, EtypeList, GssChecksum, InnerToken, KERB_AP_OPTIONS,
    KERB_AUTH_DATA_CLIENT_TARGET, KerberosTime, PrincipalName, Ticket, encode_principal_name, frame_token, gss_flag,
    recognise,
};
use portcullis_wire::{spnego, utf16};
use std::time::{SystemTime, UNIX_EPOCH};

/// RFC 4120 §7.5.1: the authenticator of an AP-REQ, and the encrypted part of an AP-REP.
const USAGE_AUTHENTICATOR: u32 = 11;
const USAGE_AP_REP: u32 = 12;

/// The client's side as Windows speaks it: mutual authentication, a subkey, AES-256 with SHA-1 throughout. It shares
/// with the acceptor the messages' layouts and the encryption types.
pub struct Client {
    name: Vec<u8>,
    ticket: Vec<u8>,
    session: Key,
    authorization: Vec<u8>,
}

/// A request that was sent: with the server's reply it becomes a session.
pub struct Pending {
    session: Key,
    seq: u32,
}

impl Client {
    /// The client whose ticket is the first in a credential cache.
    pub fn from_ccache(cache: &[u8]) -> Self {
        let cache = Ccache::decode(cache).expect("the realm's cache is one");
        let held = cache.credentials().next().expect("it holds a ticket").expect("that is whole");
        let name = encode_principal_name(held.client.name_type, &held.client.components().collect::<Vec<_>>());
        let session = Key::new(Enctype::Aes256Sha1, held.key.value).expect("32 bytes");
        let (mut options, wanted) = (Vec::new(), EtypeList::of(&[18, 17, 23]));
        ApOptions::CBT.encode(&mut options);
        let target = utf16::encode(&format!("{}@{REALM}", SERVICE.join("/")));
        let inside = AuthorizationData::of(&[
            (AD_ETYPE_NEGOTIATION, wanted.as_slice()),
            (KERB_AP_OPTIONS, &options),
            (KERB_AUTH_DATA_CLIENT_TARGET, &target),
        ]);
        let authorization = AuthorizationData::of(&[(AD_IF_RELEVANT, inside.as_slice())]);
        Self { name, ticket: held.ticket.to_vec(), session, authorization }
    }

    /// A fresh AP-REQ in its frame. No two have the same random bytes, whatever the clock says.
    pub fn request(&self, now: SystemTime) -> (Vec<u8>, Pending) {
        let mut random = [0; 52];
        getrandom::fill(&mut random).expect("the system has random bytes");
        let (subkey, rest) = random.split_first_chunk::<32>().expect("52 bytes begin with 32");
        let (confounder, seq) = rest.split_first_chunk::<16>().expect("20 bytes begin with 16");
        let seq = u32::from_le_bytes(seq.try_into().expect("four are left")) & 0x3fff_ffff;
        let flags = gss_flag::MUTUAL | gss_flag::REPLAY | gss_flag::SEQUENCE | gss_flag::CONF | gss_flag::INTEG;
        let mut checksum = Vec::new();
        GssChecksum { bindings: &[0; 16], flags, delegation: None, extensions: &[] }.encode(&mut checksum);
        let enctype = self.session.enctype().number();
        let authenticator = Authenticator {
            crealm: REALM.as_bytes(),
            cname: PrincipalName::from_encoded(&self.name).expect("a name"),
            cksum: Some(Checksum { cksumtype: GssChecksum::TYPE, checksum: &checksum }),
            cusec: now.duration_since(UNIX_EPOCH).expect("after 1970").subsec_micros(),
            ctime: KerberosTime::from_system(now),
            subkey: Some(EncryptionKey { etype: enctype, value: subkey }),
            seq_number: Some(seq),
            authorization_data: Some(AuthorizationData::decode(&self.authorization).expect("a list")),
        };
        let (mut plain, mut cipher) = (Vec::new(), Vec::new());
        authenticator.encode(&mut plain);
        self.session.cipher(USAGE_AUTHENTICATOR).encrypt(confounder, &plain, &mut cipher);
        let request = ApReq {
            options: ApReq::MUTUAL_REQUIRED,
            ticket: Ticket::decode(&self.ticket).expect("a ticket"),
            authenticator: EncryptedData { etype: enctype, kvno: None, cipher: &cipher },
        };
        let (mut message, mut token) = (Vec::new(), Vec::new());
        request.encode(&mut message);
        frame_token(spnego::KERBEROS, InnerToken::ApReq, &message, &mut token);
        (token, Pending { session: self.session.duplicate(), seq })
    }
}

impl Pending {
    /// Takes the server's reply, an AP-REP with a subkey of the server's.
    pub fn finish(self, reply: &[u8]) -> Session {
        let message = recognise(reply).expect("the server's token is Kerberos");
        assert_eq!(message.kind, InnerToken::ApRep, "the server sends an AP-REP");
        let message = ApRep::decode(message.body).expect("an AP-REP");
        let mut buffer = message.enc_part.cipher.to_vec();
        let plain = self.session.cipher(USAGE_AP_REP).decrypt(&mut buffer).expect("it is under the session key");
        let part = EncApRepPart::decode(plain).expect("an encrypted part");
        let subkey = part.subkey.expect("the server brings a subkey");
        Session::new(&Key::new(Enctype::Aes256Sha1, subkey.value).expect("of AES-256"), self.seq)
    }
}
