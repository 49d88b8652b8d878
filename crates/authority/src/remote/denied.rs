//! A no as bytes: the cause by its stable name, and what it rests on.

use super::fields::{get_text, put};
use portcullis::{Cause, Denied, Refusal, kerberos};
use portcullis_wire::{Error, Kind, Reader, Writer};

/// The most bytes of detail.
const MAX_DETAIL: usize = 4096;

pub(super) fn put_denied(writer: &mut Writer<'_>, denied: &Denied) {
    let (at, mut detail) = (unreadable(&denied.cause), denied.detail.clone());
    if let Some(error) = at {
        // Of the error's own words only the place arrives as more than text.
        detail = format!("{error}{}{detail}", if detail.is_empty() { "" } else { "; " });
    }
    put(writer, denied.cause.name().as_bytes());
    writer.u32(at.map_or(0, |error| u32::try_from(error.offset).unwrap_or(u32::MAX)));
    put(writer, detail.get(..detail.floor_char_boundary(MAX_DETAIL)).unwrap_or_default().as_bytes());
}

pub(super) fn get_denied(reader: &mut Reader<'_>) -> Result<Denied, Error> {
    let at = reader.offset();
    let name = get_text(reader, "refusal")?;
    let offset = usize::try_from(reader.u32("offset")?).unwrap_or(usize::MAX);
    let cause = cause_named(name, offset).ok_or(Error::new(at, "refusal", Kind::Unexpected))?;
    Ok(Denied { cause, detail: get_text(reader, "detail")?.to_owned() })
}

/// Where a message cannot be read, where that is the cause.
fn unreadable(cause: &Cause) -> Option<Error> {
    match cause {
        Cause::Kerberos(kerberos::Cause::Malformed(error) | kerberos::Cause::PacMalformed(error)) => Some(*error),
        _ => None,
    }
}

/// The cause of a name, of those that an authority answers with.
fn cause_named(name: &str, offset: usize) -> Option<Cause> {
    let unreadable = [
        kerberos::Cause::Malformed(Error::new(offset, "ticket", Kind::Unexpected)),
        kerberos::Cause::PacMalformed(Error::new(offset, "PAC", Kind::Unexpected)),
    ];
    let of_kerberos = || kerberos::Cause::of_an_authority(name).map(Cause::Kerberos);
    let of_both = || unreadable.into_iter().map(Cause::Kerberos).find(|cause| cause.name() == name);
    Refusal::named(name).map(Cause::Refused).or_else(of_kerberos).or_else(of_both)
}
