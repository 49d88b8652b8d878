use super::{Name, RawKey, Ticket};
use portcullis_wire::der::SequenceOf;
use portcullis_wire::kerberos::{
    EncKrbCredPart, EncryptedData, KerberosTime, KrbCred, KrbCredInfo, PrincipalName, Ticket as WireTicket,
};

/// A ticket that a client forwards.
#[derive(Debug, Clone)]
pub struct Forwarded {
    /// The ticket.
    pub ticket: Ticket,
    /// Whose it is said to be; `None` says nothing.
    pub client: Option<Name>,
    /// The key that the message is under; `None` leaves it readable.
    pub under: Option<RawKey>,
    /// How often the ticket stands there.
    pub times: usize,
    /// What the confounder is drawn by.
    pub seed: u64,
}

/// RFC 4120 §7.5.1: the encrypted part of a KRB-CRED.
const USAGE_KRB_CRED: u32 = 14;

impl Forwarded {
    /// A ticket with what its issuer says of it, under a key.
    pub fn of(ticket: Ticket, under: Option<RawKey>) -> Self {
        Self { client: Some(ticket.client.clone()), ticket, under, times: 1, seed: 4 }
    }

    /// KRB-CRED.
    pub fn encode(&self) -> Vec<u8> {
        let ticket = &self.ticket;
        let (cname, sname) = (self.client.as_ref().map(Name::encoded), ticket.service.encoded());
        let info = KrbCredInfo {
            key: ticket.session.encryption_key(),
            prealm: self.client.as_ref().map(|client| client.realm.as_slice()),
            pname: cname.as_ref().map(|name| PrincipalName::from_encoded(name).unwrap()),
            flags: Some(ticket.flags),
            authtime: Some(KerberosTime(ticket.auth_time)),
            starttime: ticket.start_time.map(KerberosTime),
            endtime: Some(KerberosTime(ticket.end_time)),
            renew_till: ticket.renew_till.map(KerberosTime),
            srealm: Some(&ticket.service.realm),
            sname: Some(PrincipalName::from_encoded(&sname).unwrap()),
            caddr: None,
        };
        let infos = SequenceOf::of(&vec![info; self.times]);
        let part = EncKrbCredPart {
            ticket_info: SequenceOf::decode(&infos).unwrap(),
            nonce: None,
            timestamp: None,
            usec: None,
            s_address: None,
            r_address: None,
        };
        let mut plain = Vec::new();
        part.encode(&mut plain);
        let (etype, cipher) = match &self.under {
            Some(key) => (key.etype, key.seal(USAGE_KRB_CRED, &plain, self.seed)),
            None => (0, plain),
        };
        let raw = ticket.encode();
        let tickets = SequenceOf::of(&vec![WireTicket::decode(&raw).unwrap(); self.times]);
        let mut out = Vec::new();
        KrbCred {
            tickets: SequenceOf::decode(&tickets).unwrap(),
            enc_part: EncryptedData { etype, kvno: None, cipher: &cipher },
        }
        .encode(&mut out);
        out
    }
}
