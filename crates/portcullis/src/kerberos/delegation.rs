//! A ticket that a client forwards: read, compared with who the client is, and kept as a credential cache.

use super::crypto::Key;
use super::{Cause, Delegated};
use crate::call::Leg;
use crate::{Event, Failure, Secret};
use portcullis_wire::kerberos::{
    CcacheCredential, CcachePrincipal, EncKrbCredPart, EncTicketPart, EncryptionKey, KrbCred, encode_ccache, unparse,
};

/// RFC 4120 §7.5.1: the encrypted part of a KRB-CRED.
pub(super) const USAGE_KRB_CRED: u32 = 14;

/// Enctype 0: not encrypted at all, since the authenticator around it is.
const NULL: i32 = 0;

/// Takes the forwarded credentials out of an authenticator's checksum. They must be the client's own.
pub(super) fn take(
    bytes: &[u8],
    session: &Key,
    subkey: Option<&Key>,
    ticket: &EncTicketPart<'_>,
    leg: &mut Leg<'_>,
) -> Result<Delegated, Failure> {
    let message = KrbCred::decode(bytes).map_err(Cause::Malformed)?;
    let plain = opened(&message, session, subkey)?;
    let part = EncKrbCredPart::decode(plain.expose()).map_err(Cause::Malformed)?;
    let mut credentials = Vec::new();
    let mut client = String::new();
    unparse(&ticket.cname, ticket.crealm, &mut client);
    for (info, forwarded) in part.ticket_info().zip(message.tickets()) {
        let (info, forwarded) = (info.map_err(Cause::Malformed)?, forwarded.map_err(Cause::Malformed)?);
        let (Some(realm), Some(name)) = (info.prealm, info.pname) else {
            return Err(Cause::DelegationUnreadable.into());
        };
        if realm != ticket.crealm || !name.same_components(&ticket.cname) {
            let mut other = String::new();
            unparse(&name, realm, &mut other);
            leg.event(&Event::Because { detail: &format!("{client} forwards a ticket of {other}") });
            return Err(Cause::DelegatedClientDiffers.into());
        }
        credentials.push((info, forwarded));
    }
    if credentials.is_empty() {
        return Err(Cause::DelegationUnreadable.into());
    }
    let own = CcachePrincipal::of(&ticket.cname, ticket.crealm);
    let entries = credentials.iter().map(|(info, forwarded)| CcacheCredential {
        client: own.clone(),
        server: CcachePrincipal::of(
            &info.sname.unwrap_or(forwarded.sname),
            info.srealm.unwrap_or(forwarded.realm),
        ),
        key: EncryptionKey { etype: info.key.etype, value: info.key.value },
        auth_time: info.authtime.unwrap_or(ticket.authtime),
        start_time: info.starttime,
        end_time: info.endtime.unwrap_or(ticket.endtime),
        renew_till: info.renew_till,
        is_skey: false,
        flags: info.flags.unwrap_or_default(),
        ticket: forwarded.raw,
        second_ticket: &[],
    });
    let mut ccache = Secret::new(Vec::new());
    encode_ccache(&own, entries, ccache.expose_mut());
    Ok(Delegated { client, ccache })
}

/// Under the client's sub-key, the session key, or under none (RFC 4121 §4.1.1).
fn opened(message: &KrbCred<'_>, session: &Key, subkey: Option<&Key>) -> Result<Secret<Vec<u8>>, Cause> {
    let data = &message.enc_part;
    if data.etype == NULL {
        return Ok(Secret::new(data.cipher.to_vec()));
    }
    for key in subkey.into_iter().chain([session]).filter(|key| key.enctype().number() == data.etype) {
        let mut buffer = Secret::new(data.cipher.to_vec());
        if let Ok(plain) = key.cipher(USAGE_KRB_CRED).decrypt(buffer.expose_mut()) {
            return Ok(Secret::new(plain.to_vec()));
        }
    }
    Err(Cause::DelegationUnreadable)
}
