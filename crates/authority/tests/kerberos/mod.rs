//! Keys, tickets and questions of a Kerberos realm without a KDC.
#![allow(dead_code, reason = "not every file uses all of it")]

use portcullis::Claim;
use portcullis::kerberos::crypto::{Enctype, Key};
use portcullis::kerberos::{OpenTicket, PacPolicy, SeenBefore, ServiceNames};
use portcullis::{Answer, Authority, Question};
use portcullis_wire::kerberos::{
    EncTicketPart, EncryptedData, EncryptionKey, KerberosTime, NT_PRINCIPAL, NT_SRV_HST, NewKeytabEntry, PrincipalName,
    Ticket, TicketFlags, Transited, encode_keytab, encode_principal_name,
};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A service's key: the version, the encryption type, and what the key is filled with.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    pub service: [&'static str; 2],
    pub kvno: u32,
    pub enctype: Enctype,
    pub fill: u8,
}

pub const REALM: &str = "CORP.EXAMPLE";

impl Held {
    pub fn http(kvno: u32) -> Self {
        let fill = u8::try_from(kvno & 0xff).unwrap();
        Self { service: ["HTTP", "web1.corp.example"], kvno, enctype: Enctype::Aes256Sha1, fill }
    }

    fn bytes(&self) -> Vec<u8> {
        vec![self.fill; self.enctype.key_len()]
    }

    fn components(&self) -> [&'static [u8]; 2] {
        self.service.map(str::as_bytes)
    }

    /// A ticket of Ann's under this key, which says that it is for this service.
    pub fn ticket(&self) -> Vec<u8> {
        let now = KerberosTime::from_system(SystemTime::now());
        let (client, session) = (encode_principal_name(NT_PRINCIPAL, &[b"ann"]), [7; 32]);
        let part = EncTicketPart {
            raw: &[],
            flags: TicketFlags::default(),
            key: EncryptionKey { etype: 18, value: &session },
            crealm: REALM.as_bytes(),
            cname: PrincipalName::from_encoded(&client).unwrap(),
            transited: Transited { tr_type: 1, contents: &[] },
            authtime: now,
            starttime: None,
            endtime: KerberosTime::from_system(SystemTime::now() + Duration::from_secs(36_000)),
            renew_till: None,
            caddr: None,
            authorization_data: None,
        };
        let (mut plain, mut cipher) = (Vec::new(), Vec::new());
        part.encode(&mut plain);
        Key::new(self.enctype, &self.bytes()).unwrap().cipher(2).encrypt(&[3; 16], &plain, &mut cipher);
        let name = encode_principal_name(NT_SRV_HST, &self.components());
        let ticket = Ticket {
            raw: &[],
            realm: REALM.as_bytes(),
            sname: PrincipalName::from_encoded(&name).unwrap(),
            enc_part: EncryptedData { etype: self.enctype.number(), kvno: Some(self.kvno), cipher: &cipher },
        };
        let mut bytes = Vec::new();
        ticket.encode(&mut bytes);
        bytes
    }
}

/// A keytab file's bytes.
pub fn keytab(keys: &[Held]) -> Vec<u8> {
    let (bytes, names): (Vec<_>, Vec<_>) = keys.iter().map(|key| (key.bytes(), key.components())).unzip();
    let entries: Vec<_> = keys
        .iter()
        .zip(bytes.iter().zip(&names))
        .map(|(key, (bytes, components))| NewKeytabEntry {
            realm: REALM.as_bytes(),
            name_type: NT_SRV_HST,
            components,
            timestamp: 1_700_000_000,
            kvno: key.kvno,
            etype: key.enctype.number(),
            key: bytes,
        })
        .collect();
    encode_keytab(&entries).unwrap()
}

pub fn opening(ticket: Vec<u8>) -> Question {
    opening_for(ticket, ServiceNames::Any)
}

pub fn opening_for(ticket: Vec<u8>, services: ServiceNames) -> Question {
    let question =
        OpenTicket::new(Claim::default(), None, Arc::new(services), PacPolicy::VerifyIfPresent, false, ticket);
    Question::OpenTicket(question)
}

pub fn seen(tag: [u8; 16], now: SystemTime, until: SystemTime) -> Question {
    Question::SeenBefore(SeenBefore::new(Claim::new("ann", "", "", ""), None, tag, now, until))
}

/// The name of an answer's cause, `ok` for a yes.
pub fn cause(answer: &Answer) -> &'static str {
    answer.cause().map_or("ok", |cause| cause.name())
}

/// An authority that knows nobody and says which questions reached it.
pub struct Nobody;

impl Authority for Nobody {
    fn answer(&self, question: &Question) -> Answer {
        match question {
            Question::ConfirmPac(asked) => asked.not_asked(),
            other => other.refuse(portcullis::Refusal::UnknownAccount),
        }
    }
}
