use super::{LongTerm, Name, PacPlan, RawKey};
use portcullis::kerberos::crypto::Enctype;
use portcullis_wire::der::SequenceOf;
use portcullis_wire::kerberos::{
    AD_IF_RELEVANT, AD_WIN2K_PAC, AuthorizationData, EncTicketPart, EncryptedData, HostAddress, KerberosTime,
    PrincipalName, Ticket as WireTicket, TicketFlags, Transited,
};

/// A ticket that a KDC makes, every part of which is a field. [`Ticket::of`] is a good one.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// The service that stands outside, where anyone can rewrite it.
    pub service: Name,
    /// The key that it is sealed under, the service's.
    pub under: RawKey,
    /// The enctype that it says to be sealed by.
    pub etype: i32,
    /// The key's version that it says.
    pub kvno: Option<u32>,
    /// The flags.
    pub flags: TicketFlags,
    /// The session key.
    pub session: RawKey,
    /// The client.
    pub client: Name,
    /// The realms in between: how they are written, and they.
    pub transited: (i32, Vec<u8>),
    /// When the client proved itself to the KDC; all times in seconds since 1970.
    pub auth_time: i64,
    /// From when it is good.
    pub start_time: Option<i64>,
    /// Until when it is good.
    pub end_time: i64,
    /// Until when it can be renewed.
    pub renew_till: Option<i64>,
    /// The addresses that it is good from: their types and bytes.
    pub addresses: Option<Vec<(i32, Vec<u8>)>>,
    /// The PAC.
    pub pac: Option<PacPlan>,
    /// Where the PAC stands.
    pub pac_place: PacPlace,
    /// Other authorization data, which stands behind the PAC.
    pub authorization: Vec<(i32, Vec<u8>)>,
    /// What the confounder is drawn by.
    pub seed: u64,
}

/// Where a PAC stands in the authorization data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacPlace {
    /// In an AD-IF-RELEVANT, as KDCs put it.
    IfRelevant,
    /// Beside all others.
    Outside,
    /// In so many AD-IF-RELEVANTs.
    Deep(usize),
    /// In the second of two AD-IF-RELEVANTs.
    Second,
}

/// RFC 4120 §7.5.1: a ticket under a service's key.
const USAGE_TICKET: u32 = 2;

/// A day, in seconds.
const DAY: i64 = 86_400;

impl Ticket {
    /// A ticket of `client` for a service, issued five minutes before `now`, for ten hours, with the client's PAC.
    pub fn of(service: &LongTerm, client: &str, now: i64) -> Self {
        let client = Name::user(client);
        let enctype = Enctype::from_number(service.key.etype).unwrap_or(Enctype::Aes256Sha1);
        Self {
            service: service.name.clone(),
            under: service.key.clone(),
            etype: service.key.etype,
            kvno: Some(service.kvno),
            flags: TicketFlags::FORWARDABLE | TicketFlags::PRE_AUTHENT | TicketFlags::RENEWABLE,
            session: RawKey::drawn(enctype, 0x5e55_1011),
            pac: Some(PacPlan::of(&client)),
            client,
            transited: (1, Vec::new()),
            auth_time: now - 300,
            start_time: Some(now - 300),
            end_time: now - 300 + 36_000,
            renew_till: Some(now - 300 + 7 * DAY),
            addresses: None,
            pac_place: PacPlace::IfRelevant,
            authorization: Vec::new(),
            seed: 2,
        }
    }

    /// The same ticket with a session key of this enctype.
    #[must_use]
    pub fn with_session(self, enctype: Enctype) -> Self {
        Self { session: RawKey::drawn(enctype, 0x5e55_1011), ..self }
    }

    /// The same ticket without a PAC, as KDCs other than Windows' make it.
    #[must_use]
    pub fn without_pac(self) -> Self {
        Self { pac: None, ..self }
    }

    /// EncTicketPart.
    pub fn part(&self) -> Vec<u8> {
        self.part_around(self.sealed_pac().as_deref())
    }

    /// The PAC, where there is one.
    pub fn sealed_pac(&self) -> Option<Vec<u8>> {
        self.pac.as_ref().map(|plan| plan.sealed(self))
    }

    /// EncTicketPart around any PAC.
    pub fn part_around(&self, pac: Option<&[u8]>) -> Vec<u8> {
        let mut elements: Vec<(i32, Vec<u8>)> = Vec::new();
        if let Some(pac) = pac {
            let nested = |inner: (i32, Vec<u8>)| (AD_IF_RELEVANT, encoded(&[inner]));
            let pac = (AD_WIN2K_PAC, pac.to_vec());
            match self.pac_place {
                PacPlace::Outside => elements.push(pac),
                PacPlace::IfRelevant => elements.push(nested(pac)),
                PacPlace::Deep(levels) => elements.push((0..levels).fold(pac, |inner, _| nested(inner))),
                PacPlace::Second => elements.extend([nested((4, b"other".to_vec())), nested(pac)]),
            }
        }
        elements.extend(self.authorization.iter().cloned());
        let authorization = encoded(&elements);
        let addresses: Option<Vec<u8>> = self.addresses.as_ref().map(|addresses| {
            let addresses: Vec<_> =
                addresses.iter().map(|(addr_type, address)| HostAddress { addr_type: *addr_type, address }).collect();
            SequenceOf::of(&addresses)
        });
        let cname = self.client.encoded();
        let mut out = Vec::new();
        EncTicketPart {
            raw: &[],
            flags: self.flags,
            key: self.session.encryption_key(),
            crealm: &self.client.realm,
            cname: PrincipalName::from_encoded(&cname).unwrap(),
            transited: Transited { tr_type: self.transited.0, contents: &self.transited.1 },
            authtime: KerberosTime(self.auth_time),
            starttime: self.start_time.map(KerberosTime),
            endtime: KerberosTime(self.end_time),
            renew_till: self.renew_till.map(KerberosTime),
            caddr: addresses.as_ref().map(|addresses| SequenceOf::decode(addresses).unwrap()),
            authorization_data: (!elements.is_empty()).then(|| AuthorizationData::decode(&authorization).unwrap()),
        }
        .encode(&mut out);
        out
    }

    /// Ticket.
    pub fn encode(&self) -> Vec<u8> {
        self.around(&self.part())
    }

    /// Ticket around any plaintext.
    pub fn around(&self, part: &[u8]) -> Vec<u8> {
        let cipher = self.under.seal(USAGE_TICKET, part, self.seed);
        let sname = self.service.encoded();
        let mut out = Vec::new();
        WireTicket {
            raw: &[],
            realm: &self.service.realm,
            sname: PrincipalName::from_encoded(&sname).unwrap(),
            enc_part: EncryptedData { etype: self.etype, kvno: self.kvno, cipher: &cipher },
        }
        .encode(&mut out);
        out
    }
}

/// AuthorizationData of these elements.
pub(super) fn encoded(elements: &[(i32, Vec<u8>)]) -> Vec<u8> {
    let elements: Vec<(i32, &[u8])> = elements.iter().map(|(kind, data)| (*kind, data.as_slice())).collect();
    AuthorizationData::of(&elements)
}
