//! The questions of Kerberos and their answers as bytes.

use super::fields::{get, get_claim, get_flag, get_moment, get_peer, get_text, put, put_claim, put_moment, put_peer};
use portcullis::Secret;
use portcullis::kerberos::crypto::Enctype;
use portcullis::kerberos::{
    ConfirmPac, OpenTicket, OpenedTicket, PacPolicy, PacSignature, PacVerdict, SeenBefore, Service, ServiceNames,
};
use portcullis_wire::{Error, Kind, Reader, Writer};
use std::sync::Arc;

/// The most services that a question may allow.
const MAX_SERVICES: usize = 1024;

pub(super) fn put_open_ticket(writer: &mut Writer<'_>, question: &OpenTicket) {
    put_claim(writer, &question.claim);
    put_peer(writer, question.peer);
    match &*question.services {
        ServiceNames::Any => drop(writer.u8(0)),
        ServiceNames::List(names) => {
            writer.u8(1).u32(u32::try_from(names.len()).unwrap_or(u32::MAX));
            names.iter().for_each(|name| put(writer, name.as_bytes()));
        }
    }
    let pac = match question.pac {
        PacPolicy::Ignore => 0,
        PacPolicy::VerifyIfPresent => 1,
        PacPolicy::Require => 2,
    };
    writer.u8(pac).u8(u8::from(question.danger_accept_rc4));
    put(writer, question.ticket());
}

pub(super) fn get_open_ticket(reader: &mut Reader<'_>) -> Result<OpenTicket, Error> {
    let (claim, peer) = (get_claim(reader)?, get_peer(reader)?);
    let services = match get_flag(reader, "services")? {
        false => ServiceNames::Any,
        true => {
            let (at, count) = (reader.offset(), usize::try_from(reader.u32("services")?).unwrap_or(usize::MAX));
            if count > MAX_SERVICES {
                return Err(Error::new(at, "services", Kind::TooLarge));
            }
            let name = |_| get_text(reader, "service").map(str::to_owned);
            ServiceNames::List((0..count).map(name).collect::<Result<_, Error>>()?)
        }
    };
    let at = reader.offset();
    let pac = match reader.u8("PAC policy")? {
        0 => PacPolicy::Ignore,
        1 => PacPolicy::VerifyIfPresent,
        2 => PacPolicy::Require,
        _ => return Err(Error::new(at, "PAC policy", Kind::Unexpected)),
    };
    let accept_rc4 = get_flag(reader, "accept RC4")?;
    let ticket = get(reader, "ticket")?.to_vec();
    Ok(OpenTicket::new(claim, peer, Arc::new(services), pac, accept_rc4, ticket))
}

pub(super) fn put_confirm_pac(writer: &mut Writer<'_>, question: &ConfirmPac) {
    put_claim(writer, &question.claim);
    put_peer(writer, question.peer);
    put(writer, question.service.as_bytes());
    put(writer, &question.server_signature);
    writer.bytes(&question.kdc_signature.checksum_type.to_le_bytes());
    put(writer, &question.kdc_signature.checksum);
}

pub(super) fn get_confirm_pac(reader: &mut Reader<'_>) -> Result<ConfirmPac, Error> {
    let (claim, peer) = (get_claim(reader)?, get_peer(reader)?);
    let service = get_text(reader, "service")?.to_owned();
    let server_signature = get(reader, "server signature")?.to_vec();
    let checksum_type = i32::from_le_bytes(reader.array("KDC signature type")?);
    let checksum = get(reader, "KDC signature")?.to_vec();
    Ok(ConfirmPac::new(claim, peer, service, server_signature, PacSignature { checksum_type, checksum }))
}

pub(super) fn put_seen_before(writer: &mut Writer<'_>, question: &SeenBefore) {
    put_claim(writer, &question.claim);
    put_peer(writer, question.peer);
    writer.bytes(&question.tag);
    put_moment(writer, question.now);
    put_moment(writer, question.until);
}

pub(super) fn get_seen_before(reader: &mut Reader<'_>) -> Result<SeenBefore, Error> {
    let (claim, peer) = (get_claim(reader)?, get_peer(reader)?);
    let tag = reader.array("tag")?;
    Ok(SeenBefore::new(claim, peer, tag, get_moment(reader, "now")?, get_moment(reader, "until")?))
}

/// How many bytes an opened ticket takes at most: what holds it must not grow, or it leaves session keys behind.
pub(super) fn opened_len(opened: &OpenedTicket) -> usize {
    opened.part().expose().len() + opened.service().principal.len() + 64
}

pub(super) fn put_opened(writer: &mut Writer<'_>, opened: &OpenedTicket) {
    let Service { principal, kvno, enctype, key_id } = opened.service();
    put(writer, principal.as_bytes());
    writer.u32(*kvno).u32(enctype.number().unsigned_abs()).bytes(key_id);
    writer.u8(u8::from(opened.pac() == PacVerdict::Verified));
    put(writer, opened.part().expose());
}

pub(super) fn get_opened(reader: &mut Reader<'_>) -> Result<OpenedTicket, Error> {
    let (principal, kvno) = (get_text(reader, "service")?.to_owned(), reader.u32("kvno")?);
    let at = reader.offset();
    let enctype = i32::try_from(reader.u32("enctype")?).ok().and_then(Enctype::from_number);
    let enctype = enctype.ok_or(Error::new(at, "enctype", Kind::Unexpected))?;
    let service = Service { principal, kvno, enctype, key_id: reader.array("key id")? };
    let pac = if get_flag(reader, "PAC")? { PacVerdict::Verified } else { PacVerdict::Unused };
    Ok(OpenedTicket::vouched_for(Secret::new(get(reader, "part")?.to_vec()), service, pac))
}
