//! What requests and replies are made of.

use portcullis::Claim;
use portcullis_wire::sid::Sid;
use portcullis_wire::{Error, Kind, Reader, Writer};
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(super) fn finish(reader: &Reader<'_>) -> Result<(), Error> {
    match reader.rest() {
        [] => Ok(()),
        _ => Err(Error::new(reader.offset(), "end", Kind::Unexpected)),
    }
}

pub(super) fn put(writer: &mut Writer<'_>, bytes: &[u8]) {
    writer.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX)).bytes(bytes);
}

pub(super) fn get<'a>(reader: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8], Error> {
    let len = reader.u32(field)?;
    reader.take(usize::try_from(len).unwrap_or(usize::MAX), field)
}

pub(super) fn get_text<'a>(reader: &mut Reader<'a>, field: &'static str) -> Result<&'a str, Error> {
    let at = reader.offset();
    std::str::from_utf8(get(reader, field)?).map_err(|_| Error::new(at, field, Kind::Unexpected))
}

pub(super) fn put_claim(writer: &mut Writer<'_>, claim: &Claim) {
    for part in [claim.user(), claim.domain(), claim.workstation(), claim.target()] {
        put(writer, part.as_bytes());
    }
}

pub(super) fn get_claim(reader: &mut Reader<'_>) -> Result<Claim, Error> {
    let mut part = |field| get_text(reader, field);
    Ok(Claim::new(part("user")?, part("domain")?, part("workstation")?, part("target")?))
}

pub(super) fn put_peer(writer: &mut Writer<'_>, peer: Option<IpAddr>) {
    match peer {
        None => writer.u8(0),
        Some(IpAddr::V4(ip)) => writer.u8(4).bytes(&ip.octets()),
        Some(IpAddr::V6(ip)) => writer.u8(6).bytes(&ip.octets()),
    };
}

pub(super) fn get_peer(reader: &mut Reader<'_>) -> Result<Option<IpAddr>, Error> {
    let at = reader.offset();
    Ok(match reader.u8("peer")? {
        0 => None,
        4 => Some(IpAddr::from(reader.array::<4>("peer")?)),
        6 => Some(IpAddr::from(reader.array::<16>("peer")?)),
        _ => return Err(Error::new(at, "peer", Kind::Unexpected)),
    })
}

/// A yes or no.
pub(super) fn get_flag(reader: &mut Reader<'_>, field: &'static str) -> Result<bool, Error> {
    let at = reader.offset();
    match reader.u8(field)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Error::new(at, field, Kind::Unexpected)),
    }
}

pub(super) fn put_sid(writer: &mut Writer<'_>, sid: &Sid) {
    let mut bytes = Vec::with_capacity(32);
    sid.encode_into(&mut bytes);
    writer.bytes(&bytes);
}

/// A point in time, to the nanosecond; what is before 1970 becomes the epoch.
pub(super) fn put_moment(writer: &mut Writer<'_>, time: SystemTime) {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    writer.u64(since.as_secs()).u32(since.subsec_nanos());
}

pub(super) fn get_moment(reader: &mut Reader<'_>, field: &'static str) -> Result<SystemTime, Error> {
    let at = reader.offset();
    let (seconds, nanos) = (reader.u64(field)?, reader.u32(field)?);
    let time = Some(nanos).filter(|nanos| *nanos < 1_000_000_000).map(|nanos| Duration::new(seconds, nanos));
    time.and_then(|since| UNIX_EPOCH.checked_add(since)).ok_or(Error::new(at, field, Kind::Unexpected))
}
