//! The PAC in a ticket: whether it is signed, whether it is this ticket's, and which account it says.

use super::{Cause, PacFacts, PacSignature, PacVerdict, ServiceKey};
use crate::question::Denied;
use crate::{Account, Group};
use portcullis_wire::kerberos::pac::{
    BufferType, ChecksumType, ClientInfo, Delegation, LogonInfo, Pac, RequesterSid, UpnDnsInfo,
};
use portcullis_wire::kerberos::{AD_WIN2K_PAC, EncTicketPart, unparse_components};
use portcullis_wire::{filetime, utf16};
use std::time::SystemTime;

/// Verifies the server signature of a ticket's PAC with the key that opened the ticket (MS-PAC 2.8.1).
pub(super) fn verify_server_signature(part: &EncTicketPart<'_>, key: &ServiceKey) -> Result<PacVerdict, Denied> {
    let Some(raw) = find(part)? else { return Ok(PacVerdict::Unused) };
    let pac = Pac::decode(raw).map_err(Cause::PacMalformed)?;
    let signature = pac.signature(BufferType::SERVER_SIGNATURE).map_err(Cause::PacMalformed)?;
    let denied = |cause: Cause, what: &str| {
        let held = format!("{} kvno {} {}", key.principal, key.kvno, key.enctype().name());
        Denied { cause: cause.into(), detail: format!("{what}; the ticket was opened by {held}") }
    };
    let signature = signature.ok_or_else(|| denied(Cause::PacUnsigned, "the PAC has no server signature"))?;
    let (theirs, ours) = (signature.checksum_type, ChecksumType(key.enctype().checksum_type()));
    if theirs != ours {
        let what = format!("the PAC's server signature is of checksum type {}, the key's is {}", theirs.0, ours.0);
        return Err(denied(Cause::PacSignatureType, &what));
    }
    // Only the KDC can check its own, but one without it was made by no KDC.
    let kdc = pac.buffer(BufferType::KDC_SIGNATURE);
    kdc.ok_or_else(|| denied(Cause::PacUnsigned, "the PAC has no KDC signature"))?;
    let parts = pac.signed_parts().map_err(Cause::PacMalformed)?;
    match key.pac().verify(parts, signature.signature) {
        true => Ok(PacVerdict::Verified),
        false => {
            let what = format!("the PAC's server signature, of checksum type {}, does not fit", theirs.0);
            Err(denied(Cause::PacSignatureWrong, &what))
        }
    }
}

/// The server's signature, and the KDC's with its type.
pub(super) fn signatures(raw: &[u8]) -> Option<(Vec<u8>, PacSignature)> {
    let pac = Pac::decode(raw).ok()?;
    let server = pac.signature(BufferType::SERVER_SIGNATURE).ok()??;
    let kdc = pac.signature(BufferType::KDC_SIGNATURE).ok()??;
    let kdc = PacSignature { checksum_type: kdc.checksum_type.0, checksum: kdc.signature.to_vec() };
    Some((server.signature.to_vec(), kdc))
}

/// The PAC's bytes: the first one, inside AD-IF-RELEVANT or beside it (MS-KILE 3.4.5, note 80).
pub(super) fn find<'a>(part: &EncTicketPart<'a>) -> Result<Option<&'a [u8]>, Cause> {
    let Some(data) = part.authorization_data else { return Ok(None) };
    for element in data.flatten() {
        let element = element.map_err(Cause::Malformed)?;
        if element.ad_type == AD_WIN2K_PAC {
            return Ok(Some(element.data));
        }
    }
    Ok(None)
}

/// What a verified PAC says, once it fits the ticket. The account is `None` where it names none, as MIT's PACs do.
pub(super) fn read(raw: &[u8], part: &EncTicketPart<'_>, client: &str) -> Result<(Option<Account>, PacFacts), Denied> {
    let pac = Pac::decode(raw).map_err(Cause::PacMalformed)?;
    check_client(&pac, part, client)?;
    let upn = decoded(&pac, BufferType::UPN_DNS_INFO, UpnDnsInfo::decode)?;
    let logon = decoded(&pac, BufferType::LOGON_INFO, LogonInfo::decode)?;
    let requester = decoded(&pac, BufferType::REQUESTER_SID, RequesterSid::decode)?;
    let delegation = decoded(&pac, BufferType::DELEGATION, Delegation::decode)?;
    let transited_services = delegation.map(|delegation| delegation.transited_services).unwrap_or_default();
    let Some(logon) = logon else {
        // A PAC that names a SID and no logon is a ticket-granting ticket's (CVE-2022-2031).
        if requester.is_some() {
            let detail = format!("the PAC of {client}'s ticket names a requester and no logon");
            return Err(Denied { cause: Cause::TicketGranting.into(), detail });
        }
        let facts = PacFacts { raw: raw.to_vec(), user_flags: 0, logon_server: String::new(), transited_services };
        return Ok((None, facts));
    };

    let sids = logon.sids();
    let contradicts = |what: String| {
        let detail = format!("the PAC of {client}'s ticket is a logon of {:?}, {what}", logon.effective_name);
        Denied { cause: Cause::PacContradicts.into(), detail }
    };
    let user = logon.user_sid().ok_or_else(|| contradicts("without a SID".into()))?;
    let said = [("requester", requester.map(|requester| requester.0)), ("UPN", upn.as_ref().and_then(|upn| upn.sid))];
    for (whose, said) in said {
        if let Some(said) = said.filter(|said| *said != user) {
            return Err(contradicts(format!("whose SID is {user}; its {whose} is {said}")));
        }
    }
    let sam_name = upn.as_ref().and_then(|upn| upn.sam_name.as_deref());
    if let Some(name) = sam_name.filter(|name| !utf16::same_name(name, &logon.effective_name)) {
        return Err(contradicts(format!("whose name is {name:?} beside its UPN")));
    }
    let realm = client.rsplit_once('@').map_or("", |(_, realm)| realm);
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut groups = Vec::with_capacity(sids.len());
    groups.extend(sids.into_iter().filter(|sid| *sid != user).map(|sid| Group { sid, name: String::new() }));
    let account = Account {
        sid: Some(user),
        name: logon.effective_name.clone(),
        domain: logon.logon_domain_name.clone(),
        dns_domain: upn.as_ref().map_or(realm, |upn| upn.dns_domain.as_str()).to_owned(),
        upn: upn.as_ref().and_then(|upn| some(&upn.upn)),
        display_name: some(&logon.full_name),
        mail: None,
        groups,
        logoff_at: [logon.logoff_time, logon.kick_off_time].into_iter().filter_map(moment).min(),
        password_expires_at: moment(logon.password_must_change),
    };
    let facts = PacFacts {
        raw: raw.to_vec(),
        user_flags: logon.user_flags,
        logon_server: logon.logon_server.clone(),
        transited_services,
    };
    Ok((Some(account), facts))
}

/// A time of LOGON_INFO; zero is as unsaid as never.
fn moment(time: u64) -> Option<SystemTime> {
    filetime::to_system(time).filter(|_| time != 0)
}

/// CLIENT_INFO must name the ticket's client and its authentication (MS-PAC 2.7).
fn check_client(pac: &Pac<'_>, part: &EncTicketPart<'_>, client: &str) -> Result<(), Denied> {
    let authtime = part.authtime.to_system().map(filetime::from_system);
    let differs = |what: &str| {
        let at = authtime.unwrap_or_default();
        let detail = format!("the ticket is of {client}, authenticated at {at} (FILETIME); {what}");
        Denied { cause: Cause::PacClientDiffers.into(), detail }
    };
    let info = decoded(pac, BufferType::CLIENT_INFO, ClientInfo::decode)?;
    let info = info.ok_or_else(|| differs("its PAC says no client"))?;
    let mut name = String::new();
    for component in part.cname.components() {
        if !name.is_empty() {
            name.push('/');
        }
        name.push_str(&String::from_utf8_lossy(component));
    }
    let realm = String::from_utf8_lossy(part.crealm);
    // Some KDCs name the realm as well.
    let fits = info.name == name
        || info.name.strip_suffix(&*realm).and_then(|rest| rest.strip_suffix('@')).is_some_and(|rest| rest == name);
    match fits && authtime == Some(info.client_id) {
        true => Ok(()),
        false => Err(differs(&format!("its PAC is of {:?}, at {}", info.name, info.client_id))),
    }
}

fn decoded<'a, T>(
    pac: &Pac<'a>,
    buffer: BufferType,
    decode: impl FnOnce(&'a [u8]) -> Result<T, portcullis_wire::Error>,
) -> Result<Option<T>, Cause> {
    pac.buffer(buffer).map(decode).transpose().map_err(Cause::PacMalformed)
}

/// The account of a client of whom only its principal is known: `client`, as text.
pub(super) fn account_of_principal(part: &EncTicketPart<'_>, client: &str) -> Account {
    let mut realm = String::new();
    unparse_components([], part.crealm, &mut realm);
    let name = client.strip_suffix(&realm).unwrap_or(client);
    let realm = realm.trim_start_matches('@').to_owned();
    Account {
        sid: None,
        name: name.to_owned(),
        domain: realm.clone(),
        dns_domain: realm,
        upn: Some(client.to_owned()),
        display_name: None,
        mail: None,
        groups: Vec::new(),
        logoff_at: None,
        password_expires_at: None,
    }
}
