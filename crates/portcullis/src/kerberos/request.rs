//! The client's request: a ticket from its cache, and the proof that it holds the ticket's key.

use super::Cause;
use super::authenticator::USAGE_AUTHENTICATOR;
use super::crypto::{Enctype, Key};
use super::drawn::Drawn;
use super::{delegation, times};
use crate::call::Leg;
use crate::{ChannelBindings, ContextFlags, Event, Failure, Secret};
use portcullis_wire::kerberos::{
    AD_ETYPE_NEGOTIATION, AD_IF_RELEVANT, ApOptions, ApReq, Authenticator, AuthorizationData, Ccache, Checksum,
    Credential, CredentialTimes, EncryptedData, EncryptionKey, EtypeList, GssChecksum, KERB_AP_OPTIONS,
    KERB_AUTH_DATA_CLIENT_TARGET, KerberosTime, PrincipalName, Ticket, TicketFlags, encode_principal_name, gss_flag,
    unparse_components,
};
use portcullis_wire::{Error, Kind, utf16};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A service's ticket and its key, as the cache holds them.
pub(super) struct Held {
    pub(super) client: String,
    pub(super) service: String,
    crealm: Vec<u8>,
    cname: Vec<u8>,
    ticket: Vec<u8>,
    pub(super) kvno: u32,
    pub(super) enctype: i32,
    pub(super) session: Key,
    pub(super) flags: TicketFlags,
    pub(super) auth_time: SystemTime,
    start_time: SystemTime,
    pub(super) end_time: SystemTime,
    pub(super) renew_till: Option<SystemTime>,
}

impl Held {
    /// The ticket for `target` (`HTTP/web.example`, with or without its realm) in a cache.
    pub(super) fn find(cache: &[u8], target: &str, skew: Duration, leg: &mut Leg<'_>) -> Result<Self, Failure> {
        let cache = Ccache::decode(cache).map_err(Cause::Malformed)?;
        let mut over = None;
        for credential in cache.credentials() {
            let credential = credential.map_err(Cause::Malformed)?;
            let mut service = String::new();
            unparse_components(credential.server.components(), credential.server.realm, &mut service);
            if credential.configuration().is_some() || !is_meant(&service, target) {
                continue;
            }
            // One of an unknown enctype is of no use, and another may be there.
            let Ok(held) = Self::of(&credential, service) else { continue };
            let now = leg.now;
            if held.end_time <= now || held.start_time.duration_since(now).is_ok_and(|early| early > skew) {
                over = Some(held.end_time);
                continue;
            }
            return Ok(held);
        }
        let ended = over.map(|end| now_apart(end, leg.now));
        let detail = ended.map_or_else(|| format!("no ticket for {target}"), |apart| format!("{target}: {apart}"));
        leg.event(&Event::Because { detail: &detail });
        Err(if over.is_some() { Cause::OwnTicketExpired } else { Cause::NoTicket }.into())
    }

    fn of(credential: &Credential<'_>, service: String) -> Result<Self, Failure> {
        let unusable = |field| Cause::Malformed(Error::new(0, field, Kind::Unexpected));
        let enctype = Enctype::from_number(credential.key.etype).ok_or(unusable("key"))?;
        let session = Key::new(enctype, credential.key.value).ok_or(unusable("key"))?;
        let ticket = Ticket::decode(credential.ticket).map_err(Cause::Malformed)?;
        let components: Vec<_> = credential.client.components().collect();
        let cname = encode_principal_name(credential.client.name_type, &components);
        let mut client = String::new();
        unparse_components(components, credential.client.realm, &mut client);
        let CredentialTimes { authtime, starttime, endtime, renew_till } = credential.times;
        let began = if starttime.0 != 0 { starttime } else { authtime };
        Ok(Self {
            client,
            service,
            crealm: credential.client.realm.to_vec(),
            cname,
            ticket: ticket.raw.to_vec(),
            kvno: ticket.enc_part.kvno.unwrap_or(0),
            enctype: ticket.enc_part.etype,
            session,
            flags: credential.flags,
            auth_time: times::time(authtime),
            start_time: times::time(began),
            end_time: times::time(endtime),
            renew_till: (renew_till.0 != 0).then(|| times::time(renew_till)),
        })
    }
}

/// Whether a service of the cache is the one that is meant. Without a realm in the target any realm's is.
fn is_meant(service: &str, target: &str) -> bool {
    let without_realm = service.rsplit_once('@').map_or(service, |(name, _)| name);
    utf16::same_name(service, target) || utf16::same_name(without_realm, target)
}

fn now_apart(end: SystemTime, now: SystemTime) -> String {
    match now.duration_since(end) {
        Ok(since) => format!("its ticket ended {} s ago", since.as_secs()),
        Err(_) => "its ticket is not yet valid".to_owned(),
    }
}

/// What a request wants of the context, and with what it is made.
pub(super) struct Wish<'a> {
    pub(super) flags: ContextFlags,
    pub(super) bindings: Option<&'a ChannelBindings>,
    pub(super) target: &'a str,
    /// A forwarded ticket-granting ticket, as a KRB-CRED; empty where none is forwarded.
    pub(super) delegation: Vec<u8>,
    /// The time, by the server's clock as far as it is known.
    pub(super) now: SystemTime,
}

/// A request that was sent, as far as its reply must fit it.
pub(super) struct Sent {
    pub(super) message: Vec<u8>,
    pub(super) ctime: KerberosTime,
    pub(super) cusec: u32,
    pub(super) subkey: Key,
}

/// Makes the AP-REQ.
pub(super) fn make(held: &Held, wish: &Wish<'_>, drawn: &Drawn) -> Result<Sent, Failure> {
    let enctype = held.session.enctype();
    let subkey = drawn.subkey.expose().get(..enctype.key_len()).and_then(|bytes| Key::new(enctype, bytes));
    let subkey = subkey.ok_or(Cause::NoTicket)?;
    let bindings = wish.bindings.map_or([0; 16], ChannelBindings::md5);
    let mut checksum = Vec::with_capacity(24 + wish.delegation.len());
    let gss = GssChecksum {
        bindings: &bindings,
        flags: gss_flags(wish),
        delegation: (!wish.delegation.is_empty()).then_some(&wish.delegation),
        extensions: &[],
    };
    gss.encode(&mut checksum);
    let since = wish.now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (ctime, cusec) = (KerberosTime::from_system(wish.now), since.subsec_micros());
    let authorization = authorization_data(wish);
    let authenticator = Authenticator {
        crealm: &held.crealm,
        cname: PrincipalName::from_encoded(&held.cname).map_err(Cause::Malformed)?,
        cksum: Some(Checksum { cksumtype: GssChecksum::TYPE, checksum: &checksum }),
        cusec,
        ctime,
        subkey: Some(EncryptionKey { etype: enctype.number(), value: subkey.bytes() }),
        seq_number: Some(drawn.seq),
        authorization_data: Some(AuthorizationData::decode(&authorization).map_err(Cause::Malformed)?),
    };
    let mut plain = Secret::new(Vec::with_capacity(512 + checksum.len()));
    authenticator.encode(plain.expose_mut());
    let mut cipher = Vec::new();
    held.session.cipher(USAGE_AUTHENTICATOR).encrypt(&drawn.confounder, plain.expose(), &mut cipher);
    let mutual = wish.flags.contains(ContextFlags::MUTUAL_AUTH);
    let request = ApReq {
        options: if mutual { ApReq::MUTUAL_REQUIRED } else { 0 },
        ticket: Ticket::decode(&held.ticket).map_err(Cause::Malformed)?,
        authenticator: EncryptedData { etype: enctype.number(), kvno: None, cipher: &cipher },
    };
    let mut message = Vec::with_capacity(held.ticket.len() + cipher.len() + 64);
    request.encode(&mut message);
    Ok(Sent { message, ctime, cusec, subkey })
}

/// What the context is to have, in GSS-API's flags.
fn gss_flags(wish: &Wish<'_>) -> u32 {
    [
        (ContextFlags::MUTUAL_AUTH, gss_flag::MUTUAL),
        (ContextFlags::REPLAY_DETECT, gss_flag::REPLAY),
        (ContextFlags::SEQUENCE_DETECT, gss_flag::SEQUENCE),
        (ContextFlags::CONFIDENTIALITY, gss_flag::CONF),
        (ContextFlags::INTEGRITY, gss_flag::INTEG),
        (ContextFlags::USE_DCE_STYLE, gss_flag::DCE_STYLE),
        (ContextFlags::IDENTIFY, gss_flag::IDENTIFY),
        (ContextFlags::EXTENDED_ERROR, gss_flag::EXTENDED_ERROR),
    ]
    .into_iter()
    .filter(|(flag, _)| wish.flags.contains(*flag))
    .fold(if wish.delegation.is_empty() { 0 } else { gss_flag::DELEG }, |flags, (_, gss)| flags | gss)
}

/// Says that this client binds to channels where there is one, which service its user asked for, and which enctypes it
/// would rather use (MS-KILE 3.2.5.8, RFC 4537).
fn authorization_data(wish: &Wish<'_>) -> Vec<u8> {
    let mut options = Vec::new();
    let bound = if wish.bindings.is_some() { ApOptions::CBT } else { ApOptions::default() };
    bound.encode(&mut options);
    let target = utf16::encode(wish.target);
    let enctypes = EtypeList::of(&PREFERRED.map(Enctype::number));
    let inside = [
        (AD_ETYPE_NEGOTIATION, enctypes.as_slice()),
        (KERB_AP_OPTIONS, options.as_slice()),
        (KERB_AUTH_DATA_CLIENT_TARGET, target.as_slice()),
    ];
    let inside = AuthorizationData::of(&inside);
    AuthorizationData::of(&[(AD_IF_RELEVANT, inside.as_slice())])
}

/// The enctypes of a session, the most wanted first.
const PREFERRED: [Enctype; 6] = [
    Enctype::Aes256Sha384,
    Enctype::Aes256Sha1,
    Enctype::Aes128Sha256,
    Enctype::Aes128Sha1,
    Enctype::Camellia256,
    Enctype::Camellia128,
];

/// The cache's ticket-granting ticket as a KRB-CRED, where it may be forwarded: nobody asks a KDC for a new one here, so
/// it is the one that the cache holds.
pub(super) fn forwardable(cache: &[u8], held: &Held, drawn: &Drawn) -> Result<Vec<u8>, Failure> {
    let cache = Ccache::decode(cache).map_err(Cause::Malformed)?;
    for credential in cache.credentials() {
        let credential = credential.map_err(Cause::Malformed)?;
        let own = [b"krbtgt", credential.client.realm];
        let granting = credential.server.components().eq(own) && credential.server.realm == credential.client.realm;
        if granting && credential.flags.contains(TicketFlags::FORWARDABLE) {
            let message = delegation::forwarded(&credential, &held.session, &drawn.confounder)?;
            // RFC 4121 §4.1.1 has two bytes for its length.
            return Ok(if u16::try_from(message.len()).is_ok() { message } else { Vec::new() });
        }
    }
    Ok(Vec::new())
}
