use super::ticket::encoded;
use super::{Heard, Name, RawKey, Reply, Ticket};
use portcullis::ChannelBindings;
use portcullis_wire::der::Oid;
use portcullis_wire::kerberos::{
    AD_ETYPE_NEGOTIATION, AD_IF_RELEVANT, ApRep, ApReq, Authenticator, AuthorizationData, Checksum as WireChecksum,
    EncApRepPart, EncryptedData, EtypeList, GssChecksum, InnerToken, KERB_AP_OPTIONS, KERB_AUTH_DATA_CLIENT_TARGET,
    KerberosTime, PrincipalName, TgtRequest, Ticket as WireTicket, frame_token, gss_flag,
};
use portcullis_wire::spnego::KERBEROS;
use portcullis_wire::utf16;

/// A client, every part of whose request is a field. [`Client::of`] is a good one.
#[derive(Debug, Clone)]
pub struct Client {
    /// The ticket.
    pub ticket: Ticket,
    /// The ticket's bytes, where they are not what [`Ticket::encode`] gives.
    pub raw_ticket: Option<Vec<u8>>,
    /// What stands around the message.
    pub frame: Frame,
    /// The options of the AP-REQ, which nothing protects.
    pub options: u32,
    /// The client that the authenticator names.
    pub name: Name,
    /// The client's clock in seconds since 1970.
    pub time: i64,
    /// Its microseconds.
    pub micros: u32,
    /// The authenticator's checksum.
    pub checksum: Checksum,
    /// The sub-key.
    pub subkey: Option<RawKey>,
    /// The number of its first message.
    pub seq: Option<u32>,
    /// KERB_AP_OPTIONS.
    pub ap_options: Option<u32>,
    /// KERB_AUTH_DATA_CLIENT_TARGET.
    pub target: Option<String>,
    /// The enctypes that it would rather use (RFC 4537); none sends no list.
    pub enctypes: Vec<i32>,
    /// Other authorization data, beside the AD-IF-RELEVANT that the three above stand in.
    pub authorization: Vec<(i32, Vec<u8>)>,
    /// The key that the authenticator is under, where it is not the ticket's session key.
    pub under: Option<RawKey>,
    /// The enctype that the authenticator says, where it is not its key's.
    pub etype: Option<i32>,
    /// What the confounder is drawn by: another seed is another authenticator.
    pub seed: u64,
}

/// What stands around a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// Nothing, as in DCE style.
    Bare,
    /// GSS-API's frame with this mechanism.
    Gss(Oid<'static>),
}

/// An authenticator's checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checksum {
    /// None.
    Absent,
    /// GSS-API's (RFC 4121 §4.1.1).
    Gss(Asks),
    /// The session key's own, over these bytes.
    Keyed(Vec<u8>),
    /// Any type and bytes.
    Other(i32, Vec<u8>),
}

/// What a checksum of GSS-API says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asks {
    /// GSS-API's flags.
    pub flags: u32,
    /// Bnd.
    pub bindings: Bound,
    /// Deleg, a KRB-CRED; sent where the flag is set.
    pub delegation: Vec<u8>,
    /// Exts.
    pub extensions: Vec<u8>,
}

/// The bindings in a checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// All zero.
    Zero,
    /// Those of a channel.
    To(ChannelBindings),
    /// These bytes.
    Raw([u8; 16]),
}

/// RFC 4120 §7.5.1: the authenticator of an AP-REQ, its checksum, and the encrypted part of an AP-REP.
const USAGE_AUTHENTICATOR: u32 = 11;
const USAGE_CHECKSUM: u32 = 10;
pub(super) const USAGE_AP_REP: u32 = 12;

impl Client {
    /// What Windows asks for: the server's proof, and messages that are signed, sealed and in their order.
    pub const FLAGS: u32 = gss_flag::MUTUAL | gss_flag::REPLAY | gss_flag::SEQUENCE | gss_flag::CONF | gss_flag::INTEG;

    /// A good client with a ticket, whose clock is the KDC's.
    pub fn of(ticket: Ticket) -> Self {
        let time = ticket.auth_time + 300;
        Self {
            name: ticket.client.clone(),
            subkey: Some(RawKey { etype: ticket.session.etype, value: vec![0x55; ticket.session.value.len()] }),
            ticket,
            raw_ticket: None,
            frame: Frame::Gss(KERBEROS),
            options: ApReq::MUTUAL_REQUIRED,
            time,
            micros: 123_456,
            checksum: Checksum::Gss(Asks::of(Self::FLAGS)),
            seq: Some(0x1234_5678),
            ap_options: None,
            target: None,
            enctypes: Vec::new(),
            authorization: Vec::new(),
            under: None,
            etype: None,
            seed: 3,
        }
    }

    /// The same client asking for these flags.
    #[must_use]
    pub fn asking(mut self, flags: u32) -> Self {
        self.options = if flags & gss_flag::MUTUAL == 0 { 0 } else { ApReq::MUTUAL_REQUIRED };
        self.asks().flags = flags;
        self
    }

    /// The same client without the wish that the server prove itself.
    #[must_use]
    pub fn without_mutual(self) -> Self {
        self.asking(Self::FLAGS & !gss_flag::MUTUAL)
    }

    /// The same client in DCE style: no frame, three messages.
    #[must_use]
    pub fn dce(self) -> Self {
        Self { frame: Frame::Bare, ..self.asking(Self::FLAGS | gss_flag::DCE_STYLE) }
    }

    /// The same client bound to a channel.
    #[must_use]
    pub fn bound(mut self, bindings: Bound) -> Self {
        self.asks().bindings = bindings;
        self
    }

    /// The same client with another authenticator, that says the same.
    #[must_use]
    pub fn again(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// What it asks for by its checksum.
    ///
    /// # Panics
    /// When it has another one than GSS-API's.
    pub fn asks(&mut self) -> &mut Asks {
        match &mut self.checksum {
            Checksum::Gss(asks) => asks,
            other => panic!("{other:?}"),
        }
    }

    /// The token.
    pub fn token(&self) -> Vec<u8> {
        self.framed(InnerToken::ApReq, &self.request())
    }

    /// A message in the client's frame.
    pub fn framed(&self, kind: InnerToken, message: &[u8]) -> Vec<u8> {
        match self.frame {
            Frame::Bare => message.to_vec(),
            Frame::Gss(mechanism) => {
                let mut out = Vec::new();
                frame_token(mechanism, kind, message, &mut out);
                out
            }
        }
    }

    /// AP-REQ.
    pub fn request(&self) -> Vec<u8> {
        self.request_around(&self.authenticator())
    }

    /// AP-REQ with any authenticator, sealed here.
    pub fn request_around(&self, authenticator: &[u8]) -> Vec<u8> {
        let under = self.under.as_ref().unwrap_or(&self.ticket.session);
        let cipher = under.seal(USAGE_AUTHENTICATOR, authenticator, self.seed);
        let ticket = self.raw_ticket.clone().unwrap_or_else(|| self.ticket.encode());
        let mut out = Vec::new();
        ApReq {
            options: self.options,
            ticket: WireTicket::decode(&ticket).unwrap(),
            authenticator: EncryptedData { etype: self.etype.unwrap_or(under.etype), kvno: None, cipher: &cipher },
        }
        .encode(&mut out);
        out
    }

    /// Authenticator.
    pub fn authenticator(&self) -> Vec<u8> {
        let checksum = self.checksum_bytes();
        let authorization = self.authorization_data();
        let cname = self.name.encoded();
        let mut out = Vec::new();
        Authenticator {
            crealm: &self.name.realm,
            cname: PrincipalName::from_encoded(&cname).unwrap(),
            cksum: checksum.as_ref().map(|(cksumtype, checksum)| WireChecksum { cksumtype: *cksumtype, checksum }),
            cusec: self.micros,
            ctime: KerberosTime(self.time),
            subkey: self.subkey.as_ref().map(RawKey::encryption_key),
            seq_number: self.seq,
            authorization_data: authorization.as_ref().map(|data| AuthorizationData::decode(data).unwrap()),
        }
        .encode(&mut out);
        out
    }

    fn checksum_bytes(&self) -> Option<(i32, Vec<u8>)> {
        match &self.checksum {
            Checksum::Absent => None,
            Checksum::Other(kind, bytes) => Some((*kind, bytes.clone())),
            Checksum::Keyed(over) => {
                let key = self.ticket.session.key();
                let sum = key.checksum(USAGE_CHECKSUM).compute([over.as_slice()]).to_vec();
                Some((key.enctype().checksum_type(), sum))
            }
            Checksum::Gss(asks) => Some((GssChecksum::TYPE, asks.encode())),
        }
    }

    fn authorization_data(&self) -> Option<Vec<u8>> {
        let mut inside = Vec::new();
        if !self.enctypes.is_empty() {
            inside.push((AD_ETYPE_NEGOTIATION, EtypeList::of(&self.enctypes)));
        }
        inside.extend(self.ap_options.map(|options| (KERB_AP_OPTIONS, options.to_le_bytes().to_vec())));
        inside.extend(self.target.as_deref().map(|target| (KERB_AUTH_DATA_CLIENT_TARGET, utf16::encode(target))));
        let mut elements = Vec::new();
        if !inside.is_empty() {
            elements.push((AD_IF_RELEVANT, encoded(&inside)));
        }
        elements.extend(self.authorization.iter().cloned());
        (!elements.is_empty()).then(|| encoded(&elements))
    }

    /// Asks for the server's ticket-granting ticket: the token before that of user-to-user.
    pub fn asks_for_ticket(&self) -> Vec<u8> {
        let (name, mut message) = (self.ticket.service.encoded(), Vec::new());
        let server_name = Some(PrincipalName::from_encoded(&name).unwrap());
        TgtRequest { server_name, realm: Some(&self.ticket.service.realm) }.encode(&mut message);
        self.framed(InnerToken::TgtReq, &message)
    }

    /// Reads what came back.
    pub fn heard(&self, token: &[u8]) -> Heard {
        Heard::read(token, &self.ticket.session)
    }

    /// The third message of DCE style: it repeats the server's number under the session key.
    pub fn third(&self, reply: &Reply) -> Vec<u8> {
        self.third_saying(reply.seq, &self.ticket.session)
    }

    /// The third message with any number, under any key.
    pub fn third_saying(&self, seq: Option<u32>, under: &RawKey) -> Vec<u8> {
        let part = EncApRepPart { ctime: KerberosTime(self.time), cusec: self.micros, subkey: None, seq_number: seq };
        let (mut plain, mut message) = (Vec::new(), Vec::new());
        part.encode(&mut plain);
        let cipher = under.seal(USAGE_AP_REP, &plain, self.seed + 1);
        ApRep { enc_part: EncryptedData { etype: under.etype, kvno: None, cipher: &cipher } }.encode(&mut message);
        self.framed(InnerToken::ApRep, &message)
    }
}

impl Asks {
    /// These flags, no bindings, nothing else.
    pub fn of(flags: u32) -> Self {
        Self { flags, bindings: Bound::Zero, delegation: Vec::new(), extensions: Vec::new() }
    }

    /// The checksum's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let bindings = match &self.bindings {
            Bound::Zero => [0; 16],
            Bound::To(channel) => channel.md5(),
            Bound::Raw(bytes) => *bytes,
        };
        let mut out = Vec::new();
        GssChecksum {
            bindings: &bindings,
            flags: self.flags,
            delegation: Some(&self.delegation),
            extensions: &self.extensions,
        }
        .encode(&mut out);
        out
    }
}
