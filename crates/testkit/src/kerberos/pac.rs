use super::{Name, RawKey, Ticket};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use portcullis::kerberos::crypto::Enctype;
use portcullis_wire::kerberos::pac::{
    BufferType, ChecksumType, ClientInfo, GroupAttributes, LogonInfo, RequesterSid, Signature, UpnDnsInfo, encode,
};
use portcullis_wire::sid::Sid;

/// A PAC to be made, every part of which is a field. [`PacPlan::of`] is a good one.
#[derive(Debug, Clone)]
pub struct PacPlan {
    /// LOGON_INFO.
    pub logon: Option<LogonInfo>,
    /// CLIENT_INFO.
    pub client: Info,
    /// UPN_DNS_INFO.
    pub upn: Option<UpnDnsInfo>,
    /// REQUESTER_SID.
    pub requester: Option<Sid>,
    /// Buffers of any type, behind those above.
    pub others: Vec<(BufferType, Vec<u8>)>,
    /// The server signatures: one in a good PAC.
    pub server: Vec<PacSignature>,
    /// The KDC signatures: one in a good PAC.
    pub kdc: Vec<PacSignature>,
    /// The signature over the ticket (0x10), as newer KDCs have it.
    pub ticket: bool,
    /// The signature over the whole by the KDC (0x13), as newer KDCs have it.
    pub full: bool,
    /// The KDC's own key.
    pub kdc_key: RawKey,
    /// What someone does to it after it was signed.
    pub edit: Option<fn(&mut Vec<u8>)>,
}

/// CLIENT_INFO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Info {
    /// The one that fits the ticket.
    Fitting,
    /// None.
    Absent,
    /// This one.
    Other(ClientInfo),
}

/// A signature of a PAC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacSignature {
    /// Whose key makes it; `None` for the key that is due.
    pub by: Option<RawKey>,
    /// The type that it says; `None` for the key's own.
    pub says: Option<i32>,
    /// The signature.
    pub value: SignatureValue,
}

/// How a signature is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureValue {
    /// By the key's checksum.
    Right,
    /// The same, a bit of it changed.
    Wrong,
    /// By the HMAC of RC4, whatever the key.
    HmacMd5,
    /// CRC-32, which nobody needs a key for.
    Crc32,
    /// MD5, which nobody needs a key for.
    Md5,
    /// These bytes.
    Bytes(Vec<u8>),
}

impl PacSignature {
    /// The one that is due.
    pub fn due() -> Self {
        Self { by: None, says: None, value: SignatureValue::Right }
    }
}

/// MS-PAC 2.8: KERB_NON_KERB_CKSUM_SALT.
pub(super) const USAGE: u32 = 17;

/// The domain of the accounts.
const DOMAIN: [u32; 4] = [21, 1, 2, 3];

impl PacPlan {
    /// The PAC of a user of the domain `EXAMPLE`.
    pub fn of(client: &Name) -> Self {
        let name = String::from_utf8_lossy(&client.components.concat()).into_owned();
        let rid = 1000 + name.bytes().fold(0_u32, |sum, byte| (sum * 31 + u32::from(byte)) % 10_000);
        let domain = Sid::well_known(5, DOMAIN);
        let enabled = GroupAttributes::MANDATORY | GroupAttributes::ENABLED_BY_DEFAULT | GroupAttributes::ENABLED;
        let logon = LogonInfo {
            logon_time: 0x01dc_0000_0000_0000,
            password_must_change: portcullis_wire::filetime::NEVER,
            logoff_time: portcullis_wire::filetime::NEVER,
            kick_off_time: portcullis_wire::filetime::NEVER,
            effective_name: name.clone(),
            full_name: format!("The user {name}"),
            user_id: rid,
            primary_group_id: 513,
            groups: vec![(513, enabled), (1601, enabled)],
            logon_server: "DC1".into(),
            logon_domain_name: "EXAMPLE".into(),
            logon_domain_sid: Some(domain),
            ..LogonInfo::default()
        };
        let upn = UpnDnsInfo {
            upn: format!("{name}@example"),
            dns_domain: "EXAMPLE".into(),
            flags: 0,
            sam_name: Some(name),
            sid: domain.child(rid),
        };
        Self {
            logon: Some(logon),
            client: Info::Fitting,
            upn: Some(upn),
            requester: domain.child(rid),
            others: Vec::new(),
            server: vec![PacSignature::due()],
            kdc: vec![PacSignature::due()],
            ticket: true,
            full: true,
            kdc_key: RawKey::drawn(Enctype::Aes256Sha1, 0x6b72_6274),
            edit: None,
        }
    }

    /// A PAC without LOGON_INFO, as MIT's KDC makes it (1.20 and later).
    pub fn of_mit(client: &Name) -> Self {
        Self { logon: None, upn: None, requester: None, ..Self::of(client) }
    }

    /// The PAC, signed for a ticket.
    pub(super) fn sealed(&self, ticket: &Ticket) -> Vec<u8> {
        let service = &ticket.under;
        let mut buffers = self.buffers(ticket);
        let kdc = |at: usize| self.kdc.get(at).and_then(|signature| signature.by.as_ref()).unwrap_or(&self.kdc_key);
        let server = |at: usize| self.server.get(at).and_then(|signature| signature.by.as_ref()).unwrap_or(service);
        let first = |kind: BufferType, buffers: &[(BufferType, Vec<u8>)]| {
            buffers.iter().position(|(found, _)| *found == kind).unwrap_or(buffers.len())
        };
        // Each signature stands there as zeros until it is made; what it is over is the PAC at that moment.
        let at = buffers.len();
        for signature in &self.server {
            buffers.push((BufferType::SERVER_SIGNATURE, signature.empty(server(0))));
        }
        for signature in &self.kdc {
            buffers.push((BufferType::KDC_SIGNATURE, signature.empty(kdc(0))));
        }
        if self.ticket {
            let over = ticket.part_around(Some(&[0]));
            buffers.push((BufferType::TICKET_SIGNATURE, PacSignature::due().made(&self.kdc_key, &over)));
        }
        if self.full {
            buffers.push((BufferType::FULL_SIGNATURE, PacSignature::due().empty(&self.kdc_key)));
            let signature = PacSignature::due().made(&self.kdc_key, &joined(&buffers));
            let last = buffers.len() - 1;
            buffers[last].1 = signature;
        }
        let over = joined(&buffers);
        for (number, signature) in self.server.iter().enumerate() {
            buffers[at + number].1 = signature.made(server(number), &over);
        }
        let servers = first(BufferType::SERVER_SIGNATURE, &buffers);
        let over = buffers.get(servers).map(|(_, bytes)| bytes[4..].to_vec()).unwrap_or_default();
        for (number, signature) in self.kdc.iter().enumerate() {
            buffers[at + self.server.len() + number].1 = signature.made(kdc(number), &over);
        }
        let mut pac = joined(&buffers);
        if let Some(edit) = self.edit {
            edit(&mut pac);
        }
        pac
    }

    /// Everything but the signatures.
    fn buffers(&self, ticket: &Ticket) -> Vec<(BufferType, Vec<u8>)> {
        let mut buffers = Vec::new();
        let mut add = |kind: BufferType, encode: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = Vec::new();
            encode(&mut bytes);
            buffers.push((kind, bytes));
        };
        if let Some(logon) = &self.logon {
            add(BufferType::LOGON_INFO, &|out| logon.encode(out));
        }
        let fitting = || ClientInfo {
            client_id: filetime(ticket.auth_time),
            name: String::from_utf8_lossy(&ticket.client.components.join(&b'/')).into_owned(),
        };
        match &self.client {
            Info::Fitting => add(BufferType::CLIENT_INFO, &|out| fitting().encode(out)),
            Info::Absent => {}
            Info::Other(info) => add(BufferType::CLIENT_INFO, &|out| info.encode(out)),
        }
        if let Some(upn) = &self.upn {
            add(BufferType::UPN_DNS_INFO, &|out| upn.encode(out));
        }
        if let Some(sid) = self.requester {
            add(BufferType::REQUESTER_SID, &|out| RequesterSid(sid).encode(out));
        }
        buffers.extend(self.others.iter().cloned());
        buffers
    }
}

/// Seconds since 1970 as FILETIME.
pub(super) fn filetime(seconds: i64) -> u64 {
    u64::try_from(seconds + 11_644_473_600).unwrap() * 10_000_000
}

fn joined(buffers: &[(BufferType, Vec<u8>)]) -> Vec<u8> {
    let borrowed: Vec<_> = buffers.iter().map(|(kind, bytes)| (*kind, bytes.as_slice())).collect();
    let mut out = Vec::new();
    encode(&borrowed, &mut out);
    out
}

impl PacSignature {
    /// The buffer before the signature is made: its type, and zeros.
    fn empty(&self, key: &RawKey) -> Vec<u8> {
        let made = self.made(key, b"");
        made.iter().take(4).copied().chain(std::iter::repeat_n(0, made.len() - 4)).collect()
    }

    fn made(&self, key: &RawKey, over: &[u8]) -> Vec<u8> {
        let own = key.key().enctype().checksum_type();
        let right = || key.key().checksum(USAGE).compute([over]).to_vec();
        let (kind, signature) = match &self.value {
            SignatureValue::Right => (own, right()),
            SignatureValue::Wrong => {
                let mut signature = right();
                signature[0] ^= 1;
                (own, signature)
            }
            SignatureValue::HmacMd5 => (ChecksumType::HMAC_MD5.0, hmac_md5(&key.value, USAGE, over).to_vec()),
            SignatureValue::Crc32 => (1, crc32fast::hash(over).to_le_bytes().to_vec()),
            SignatureValue::Md5 => (7, Md5::digest(over).to_vec()),
            SignatureValue::Bytes(bytes) => (own, bytes.clone()),
        };
        let mut out = Vec::new();
        Signature { checksum_type: ChecksumType(self.says.unwrap_or(kind)), signature: &signature, rodc: None }
            .encode(&mut out);
        out
    }
}

/// KERB_CHECKSUM_HMAC_MD5 (RFC 4757 §4) with a key of any length.
pub fn hmac_md5(key: &[u8], usage: u32, over: &[u8]) -> [u8; 16] {
    let mac = |key: &[u8], over: &[u8]| -> [u8; 16] {
        let mut mac = Hmac::<Md5>::new_from_slice(key).unwrap();
        mac.update(over);
        mac.finalize().into_bytes().into()
    };
    let inner = Md5::new().chain_update(usage.to_le_bytes()).chain_update(over).finalize();
    mac(&mac(key, b"signaturekey\0"), &inner)
}
