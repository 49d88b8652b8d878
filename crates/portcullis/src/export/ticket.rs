//! What a Kerberos ticket said, as part of an exported context.

use super::body::{Body, flag, len, option, text, time};
use crate::Secret;
use crate::kerberos::crypto::Enctype;
use crate::kerberos::{Delegated, PacFacts, Service, TicketFacts};
use portcullis_wire::kerberos::TicketFlags;
use portcullis_wire::{Error, Kind, Reader};

pub(super) fn write<'b>(body: &'b mut Body, facts: &TicketFacts) -> &'b mut Body {
    // Taken apart: a new field does not compile until it has a place here.
    let TicketFacts {
        client,
        service: Service { principal, kvno, enctype, key_id },
        session_enctype,
        flags,
        auth_time,
        end_time,
        renew_till,
        pac,
        delegated,
        target_unverified,
    } = facts;
    body.text(client).text(principal).u32(*kvno).u32(number(*enctype)).bytes(key_id);
    body.u32(number(*session_enctype)).u32(flags.0).time(*auth_time).time(*end_time).option(*renew_till, Body::time);
    body.option(pac.as_ref(), write_pac).option(delegated.as_ref(), |body, delegated| {
        let Delegated { client, ccache } = delegated;
        body.text(client).len(ccache.expose().len()).bytes(ccache.expose())
    });
    body.flag(*target_unverified)
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<TicketFacts, Error> {
    Ok(TicketFacts {
        client: text(reader, "Client")?,
        service: Service {
            principal: text(reader, "Service")?,
            kvno: reader.u32("Kvno")?,
            enctype: enctype(reader)?,
            key_id: reader.array("KeyId")?,
        },
        session_enctype: enctype(reader)?,
        flags: TicketFlags(reader.u32("TicketFlags")?),
        auth_time: time(reader, "AuthTime")?,
        end_time: time(reader, "EndTime")?,
        renew_till: option(reader, "RenewTill", time)?,
        pac: option(reader, "Pac", |reader, _| read_pac(reader))?,
        delegated: option(reader, "Delegated", |reader, _| {
            Ok(Delegated { client: text(reader, "Delegated")?, ccache: Secret::new(bytes(reader, "Ccache")?) })
        })?,
        target_unverified: flag(reader, "TargetUnverified")?,
    })
}

fn write_pac<'b>(body: &'b mut Body, pac: &PacFacts) -> &'b mut Body {
    let PacFacts { raw, user_flags, logon_server, transited_services } = pac;
    body.len(raw.len()).bytes(raw).u32(*user_flags).text(logon_server).len(transited_services.len());
    for service in transited_services {
        body.text(service);
    }
    body
}

fn read_pac(reader: &mut Reader<'_>) -> Result<PacFacts, Error> {
    let (raw, user_flags) = (bytes(reader, "Pac")?, reader.u32("UserFlags")?);
    let logon_server = text(reader, "LogonServer")?;
    let mut transited_services = Vec::new();
    for _ in 0..len(reader, 4, "TransitedServices")? {
        transited_services.push(text(reader, "TransitedService")?);
    }
    Ok(PacFacts { raw, user_flags, logon_server, transited_services })
}

fn bytes(reader: &mut Reader<'_>, field: &'static str) -> Result<Vec<u8>, Error> {
    let len = len(reader, 1, field)?;
    reader.take(len, field).map(<[u8]>::to_vec)
}

/// An enctype's number; none is negative.
fn number(enctype: Enctype) -> u32 {
    enctype.number().unsigned_abs()
}

fn enctype(reader: &mut Reader<'_>) -> Result<Enctype, Error> {
    let at = reader.offset();
    let number = reader.u32("Enctype")?;
    i32::try_from(number).ok().and_then(Enctype::from_number).ok_or(Error::new(at, "Enctype", Kind::Unexpected))
}
