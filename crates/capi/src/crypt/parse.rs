//! What CERT_INFO shows of a certificate (RFC 5280, 4.1). Nothing is judged: that is for who verifies it.

use super::fault::Fault;
use jiff::civil;
use jiff::tz::TimeZone;
use portcullis_wire::der::{Der, Oid, tag};
use portcullis_wire::{Error, Kind};

/// The parts of a certificate, in its own bytes.
pub(crate) struct Parsed<'a> {
    /// 0 is v1, 2 is v3.
    pub(crate) version: u32,
    /// The most significant byte first.
    pub(crate) serial: &'a [u8],
    pub(crate) signature: Algorithm<'a>,
    /// Names are whole values.
    pub(crate) issuer: &'a [u8],
    /// As FILETIME has them.
    pub(crate) not_before: u64,
    pub(crate) not_after: u64,
    pub(crate) subject: &'a [u8],
    pub(crate) key_algorithm: Algorithm<'a>,
    pub(crate) key: Bits<'a>,
    pub(crate) issuer_id: Option<Bits<'a>>,
    pub(crate) subject_id: Option<Bits<'a>>,
    pub(crate) extensions: Vec<Extension<'a>>,
}

pub(crate) struct Algorithm<'a> {
    pub(crate) oid: Oid<'a>,
    /// A whole value, or nothing.
    pub(crate) parameters: &'a [u8],
}

#[derive(Clone, Copy)]
pub(crate) struct Bits<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) unused: u8,
}

pub(crate) struct Extension<'a> {
    pub(crate) oid: Oid<'a>,
    pub(crate) critical: bool,
    pub(crate) value: &'a [u8],
}

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

impl<'a> Parsed<'a> {
    /// A certificate and nothing behind it.
    pub(crate) fn of(encoded: &'a [u8]) -> Result<Self, Fault> {
        let mut whole = Der::new(encoded);
        let mut certificate = whole.take(tag::SEQUENCE, "certificate")?;
        whole.finish("certificate")?;
        let mut tbs = certificate.take(tag::SEQUENCE, "tbsCertificate")?;
        algorithm(&mut certificate)?;
        bits(&mut certificate.take(tag::BIT_STRING, "signature")?)?;
        certificate.finish("certificate")?;

        let version = match tbs.optional(tag::context(0), "version")? {
            Some(mut version) => version.bytes(INTEGER, "version")?.first().copied().map_or(0, u32::from),
            None => 0,
        };
        let serial = tbs.bytes(INTEGER, "serialNumber")?;
        let signature = algorithm(&mut tbs)?;
        let issuer = value(&mut tbs, Some(tag::SEQUENCE), "issuer")?;
        let mut validity = tbs.take(tag::SEQUENCE, "validity")?;
        let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
        let subject = value(&mut tbs, Some(tag::SEQUENCE), "subject")?;
        let mut key_info = tbs.take(tag::SEQUENCE, "subjectPublicKeyInfo")?;
        let key_algorithm = algorithm(&mut key_info)?;
        let key = bits(&mut key_info.take(tag::BIT_STRING, "subjectPublicKey")?)?;
        let unique = |tbs: &mut Der<'a>, tag| -> Result<Option<Bits<'a>>, Fault> {
            tbs.optional(tag, "uniqueID")?.map(|mut content| bits(&mut content)).transpose()
        };
        let (issuer_id, subject_id) = (unique(&mut tbs, 0x81)?, unique(&mut tbs, 0x82)?);
        let extensions = match tbs.optional(tag::context(3), "extensions")? {
            Some(mut list) => extensions(list.take(tag::SEQUENCE, "extensions")?)?,
            None => Vec::new(),
        };
        Ok(Self {
            version,
            serial,
            signature,
            issuer,
            not_before,
            not_after,
            subject,
            key_algorithm,
            key,
            issuer_id,
            subject_id,
            extensions,
        })
    }

    /// The content of an extension.
    pub(crate) fn extension(&self, oid: &[u8]) -> Option<&'a [u8]> {
        self.extensions.iter().find(|extension| extension.oid.0 == oid).map(|extension| extension.value)
    }
}

/// The next value with its header.
pub(crate) fn value<'a>(der: &mut Der<'a>, tag: Option<u8>, field: &'static str) -> Result<&'a [u8], Error> {
    let (rest, start) = (der.rest(), der.offset());
    let _ = match tag {
        Some(tag) => der.take(tag, field)?,
        None => der.any(field)?.1,
    };
    rest.get(..der.offset().saturating_sub(start)).ok_or(Error::new(start, field, Kind::Truncated))
}

fn algorithm<'a>(der: &mut Der<'a>) -> Result<Algorithm<'a>, Error> {
    let mut algorithm = der.take(tag::SEQUENCE, "algorithm")?;
    let oid = algorithm.oid("algorithm")?;
    let parameters = if algorithm.peek().is_some() { value(&mut algorithm, None, "parameters")? } else { &[] };
    Ok(Algorithm { oid, parameters })
}

/// The content of a BIT STRING.
fn bits<'a>(content: &mut Der<'a>) -> Result<Bits<'a>, Fault> {
    match content.rest() {
        [unused @ 0..=7, bytes @ ..] => Ok(Bits { bytes, unused: *unused }),
        _ => Err(Error::new(content.offset(), "bits", Kind::WrongLength).into()),
    }
}

fn extensions(mut list: Der<'_>) -> Result<Vec<Extension<'_>>, Fault> {
    let mut found = Vec::new();
    while list.peek().is_some() {
        let mut extension = list.take(tag::SEQUENCE, "extension")?;
        let oid = extension.oid("extnID")?;
        let critical = extension
            .optional(BOOLEAN, "critical")?
            .is_some_and(|content| content.rest().iter().any(|byte| *byte != 0));
        found.push(Extension { oid, critical, value: extension.bytes(tag::OCTET_STRING, "extnValue")? });
    }
    Ok(found)
}

/// A time as FILETIME has it.
fn time(der: &mut Der<'_>) -> Result<u64, Fault> {
    let at = der.offset();
    let (kind, content) = der.any("time")?;
    let wrong = Fault::from(Error::new(at, "time", Kind::WrongLength));
    let text = std::str::from_utf8(content.rest()).ok().and_then(|text| text.strip_suffix('Z')).ok_or(wrong)?;
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong);
    }
    let (year, rest) = match (kind, text.len()) {
        (UTC_TIME, 12) => text.split_at(2),
        (GENERALIZED_TIME, 14) => text.split_at(4),
        _ => return Err(wrong),
    };
    let number = |text: &str| text.parse::<i16>().map_err(|_| wrong);
    // RFC 5280, 4.1.2.5.1: two digits from 50 on are of the last century.
    let year = match number(year)? {
        year if kind == GENERALIZED_TIME => year,
        year @ 50.. => 1900 + year,
        year => 2000 + year,
    };
    let part = |place: usize| -> Result<i8, Fault> {
        let digits = rest.get(2 * place..2 * place + 2).ok_or(wrong)?;
        digits.parse::<i8>().map_err(|_| wrong)
    };
    let moment = civil::DateTime::new(year, part(0)?, part(1)?, part(2)?, part(3)?, part(4)?, 0);
    let moment = moment.and_then(|moment| TimeZone::UTC.to_timestamp(moment)).map_err(|_| wrong)?;
    // 1601 to 1970; what is before is shown as the beginning.
    let seconds = moment.as_second().saturating_add(11_644_473_600);
    Ok(u64::try_from(seconds).unwrap_or(0).saturating_mul(10_000_000))
}
