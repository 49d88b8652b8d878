//! A ticket that a client forwards: read, compared with who the client is, and kept as a credential cache. And the other
//! way round, for an initiator.

use super::crypto::Key;
use super::keys::is_ticket_granting;
use super::{Cause, Delegated};
use crate::call::Leg;
use crate::{Event, Failure, Secret};
use portcullis_wire::der::SequenceOf;
use portcullis_wire::kerberos::{
    Ccache, CcachePrincipal, Credential, CredentialTimes, EncKrbCredPart, EncTicketPart, EncryptedData, EncryptionKey,
    KerberosTime, KrbCred, KrbCredInfo, PrincipalName, Tagged, Ticket, encode_principal_name, unparse,
};

/// RFC 4120 §7.5.1: the encrypted part of a KRB-CRED.
const USAGE_KRB_CRED: u32 = 14;

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
    let mut client = String::new();
    unparse(&ticket.cname, ticket.crealm, &mut client);
    let forwarded: Vec<_> = part.ticket_info.iter().zip(message.tickets.iter()).collect();
    let of_the_kdc = |ticket: &Ticket<'_>| is_ticket_granting(ticket.sname.components().next());
    if forwarded.len() != part.ticket_info.iter().count()
        || forwarded.len() != message.tickets.iter().count()
        || !forwarded.iter().all(|(_, ticket)| of_the_kdc(ticket))
    {
        return Err(Cause::DelegationUnreadable.into());
    }
    for (info, _) in &forwarded {
        let (Some(realm), Some(name)) = (info.prealm, info.pname) else {
            return Err(Cause::DelegationUnreadable.into());
        };
        if realm != ticket.crealm || !name.same_components(&ticket.cname) {
            let mut other = String::new();
            unparse(&name, realm, &mut other);
            leg.event(&Event::Because { detail: &format!("{client} forwards a ticket of {other}") });
            return Err(Cause::DelegatedClientDiffers.into());
        }
    }
    if forwarded.is_empty() {
        return Err(Cause::DelegationUnreadable.into());
    }
    let ccache = cache(ticket, &forwarded).map_err(Cause::Malformed)?;
    Ok(Delegated { client, ccache })
}

/// The forwarded tickets as a credential cache of their client.
fn cache(
    ticket: &EncTicketPart<'_>,
    forwarded: &[(KrbCredInfo<'_>, Ticket<'_>)],
) -> Result<Secret<Vec<u8>>, portcullis_wire::Error> {
    let own = principal(&ticket.cname, ticket.crealm)?;
    let own = CcachePrincipal::from_encoded(&own)?;
    let mut servers = Vec::with_capacity(forwarded.len());
    for (info, ticket) in forwarded {
        servers.push(principal(&info.sname.unwrap_or(ticket.sname), info.srealm.unwrap_or(ticket.realm))?);
    }
    let none = Tagged::of(&[])?;
    let mut credentials = Vec::with_capacity(forwarded.len());
    for ((info, forwarded), server) in forwarded.iter().zip(&servers) {
        let auth = info.authtime.unwrap_or(ticket.authtime);
        credentials.push(Credential {
            client: own,
            server: CcachePrincipal::from_encoded(server)?,
            key: info.key,
            times: CredentialTimes {
                authtime: fitting(auth),
                starttime: fitting(info.starttime.unwrap_or(auth)),
                endtime: fitting(info.endtime.unwrap_or(ticket.endtime)),
                renew_till: fitting(info.renew_till.unwrap_or_default()),
            },
            is_skey: false,
            flags: info.flags.unwrap_or_default(),
            addresses: Tagged::from_encoded(&none)?,
            authdata: Tagged::from_encoded(&none)?,
            ticket: forwarded.raw,
            second_ticket: &[],
        });
    }
    Ccache::encode(None, &own, &credentials).map(Secret::new)
}

/// A time as far as a cache can hold it: until 2106.
fn fitting(time: KerberosTime) -> KerberosTime {
    KerberosTime(time.0.clamp(0, u32::MAX.into()))
}

fn principal(name: &PrincipalName<'_>, realm: &[u8]) -> Result<Vec<u8>, portcullis_wire::Error> {
    CcachePrincipal::of(name.name_type, realm, &name.components().collect::<Vec<_>>())
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

/// A credential as a KRB-CRED under the session key.
pub(super) fn forwarded(credential: &Credential<'_>, session: &Key, confounder: &[u8; 16]) -> Result<Vec<u8>, Failure> {
    let name = |principal: &CcachePrincipal<'_>| {
        encode_principal_name(principal.name_type, &principal.components().collect::<Vec<_>>())
    };
    let (client, server) = (name(&credential.client), name(&credential.server));
    let info = KrbCredInfo {
        key: EncryptionKey { etype: credential.key.etype, value: credential.key.value },
        prealm: Some(credential.client.realm),
        pname: Some(PrincipalName::from_encoded(&client).map_err(Cause::Malformed)?),
        flags: Some(credential.flags),
        authtime: Some(credential.times.authtime),
        starttime: Some(credential.times.starttime),
        endtime: Some(credential.times.endtime),
        renew_till: Some(credential.times.renew_till).filter(|till| till.0 != 0),
        srealm: Some(credential.server.realm),
        sname: Some(PrincipalName::from_encoded(&server).map_err(Cause::Malformed)?),
        caddr: None,
    };
    let infos = SequenceOf::of(&[info]);
    let part = EncKrbCredPart {
        ticket_info: SequenceOf::decode(&infos).map_err(Cause::Malformed)?,
        nonce: None,
        timestamp: None,
        usec: None,
        s_address: None,
        r_address: None,
    };
    let (mut plain, mut cipher) = (Secret::new(Vec::with_capacity(1024)), Vec::new());
    part.encode(plain.expose_mut());
    session.cipher(USAGE_KRB_CRED).encrypt(confounder, plain.expose(), &mut cipher);
    let tickets = SequenceOf::of(&[Ticket::decode(credential.ticket).map_err(Cause::Malformed)?]);
    let message = KrbCred {
        tickets: SequenceOf::decode(&tickets).map_err(Cause::Malformed)?,
        enc_part: EncryptedData { etype: session.enctype().number(), kvno: None, cipher: &cipher },
    };
    let mut bytes = Vec::with_capacity(cipher.len() + tickets.len() + 64);
    message.encode(&mut bytes);
    Ok(bytes)
}
