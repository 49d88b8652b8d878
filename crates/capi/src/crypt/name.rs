//! Names of subjects and issuers as text: CertNameToStr and CertGetNameString.

use super::fault::Fault;
use super::layout::{Blob, CertContext};
use super::property::FRIENDLY_NAME;
use super::registry::registry;
use super::room;
use crate::text::{Ansi, Charset, Wide};
use portcullis_wire::der::{Der, Oid, tag};
use portcullis_wire::x509::Certificate;
use std::ffi::c_void;

/// A name: relative distinguished names of one or more attributes each.
struct Name<'a>(Vec<Vec<Attribute<'a>>>);

struct Attribute<'a> {
    oid: Oid<'a>,
    value: String,
}

/// OID, and the key that Windows writes for it.
const KEYS: &[(&[u8], &str)] = &[
    (COMMON_NAME, "CN"),
    (&[0x55, 4, 4], "SN"),
    (&[0x55, 4, 5], "SERIALNUMBER"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "S"),
    (&[0x55, 4, 9], "STREET"),
    (ORGANIZATION, "O"),
    (UNIT, "OU"),
    (&[0x55, 4, 12], "T"),
    (&[0x55, 4, 42], "G"),
    (&[0x55, 4, 43], "I"),
    (EMAIL, "E"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
];
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANIZATION: &[u8] = &[0x55, 4, 10];
const UNIT: &[u8] = &[0x55, 4, 11];
const EMAIL: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];
const SUBJECT_ALTERNATIVES: &[u8] = &[0x55, 0x1d, 17];
const ISSUER_ALTERNATIVES: &[u8] = &[0x55, 0x1d, 18];

// CERT_X500_NAME_STR and its neighbours.
const SIMPLE: u32 = 1;
const OID: u32 = 2;
const X500: u32 = 3;
const CRLF: u32 = 0x0800_0000;
const NO_QUOTING: u32 = 0x1000_0000;
const NO_PLUS: u32 = 0x2000_0000;
const SEMICOLON: u32 = 0x4000_0000;
const REVERSE: u32 = 0x0200_0000;

impl<'a> Name<'a> {
    fn of(encoded: &'a [u8]) -> Result<Self, Fault> {
        let mut whole = Der::new(encoded);
        let mut list = whole.take(tag::SEQUENCE, "name")?;
        let mut names = Vec::new();
        while list.peek().is_some() {
            let mut set = list.take(SET, "rdn")?;
            let mut attributes = Vec::new();
            while set.peek().is_some() {
                let mut attribute = set.take(tag::SEQUENCE, "attribute")?;
                let oid = attribute.oid("type")?;
                attributes.push(Attribute { oid, value: string(&mut attribute)? });
            }
            names.push(attributes);
        }
        Ok(Self(names))
    }

    /// The first attribute of this kind.
    fn get(&self, oid: &[u8]) -> Option<&str> {
        self.0.iter().flatten().find(|attribute| attribute.oid.0 == oid).map(|attribute| attribute.value.as_str())
    }

    fn text(&self, how: u32) -> Result<String, Fault> {
        let separator = match how {
            how if how & CRLF != 0 => "\r\n",
            how if how & SEMICOLON != 0 => "; ",
            _ => ", ",
        };
        let plus = if how & NO_PLUS != 0 { " " } else { " + " };
        let mut parts = Vec::new();
        for attributes in &self.0 {
            let texts: Result<Vec<_>, _> = attributes.iter().map(|attribute| attribute.text(how)).collect();
            parts.push(texts?.join(plus));
        }
        if how & REVERSE != 0 {
            parts.reverse();
        }
        Ok(parts.join(separator))
    }
}

impl Attribute<'_> {
    fn text(&self, how: u32) -> Result<String, Fault> {
        let special = |c: char| ",+=\"\n\r<>#;".contains(c);
        let quoted = self.value.contains(special)
            || self.value.is_empty()
            || self.value.trim_matches(' ').len() != self.value.len();
        let value = match quoted && how & NO_QUOTING == 0 {
            true => format!("\"{}\"", self.value.replace('"', "\"\"")),
            false => self.value.clone(),
        };
        let key = || KEYS.iter().find(|(oid, _)| *oid == self.oid.0).map(|(_, key)| (*key).to_owned());
        Ok(match how & 0xff {
            SIMPLE => value,
            OID => format!("{}={value}", self.oid),
            X500 => format!("{}={value}", key().unwrap_or_else(|| format!("OID.{}", self.oid))),
            _ => return Err(Fault::INVALID_ARGUMENT),
        })
    }
}

const SET: u8 = 0x31;

/// A string of any of X.520's kinds; what is none, in hexadecimal.
fn string(der: &mut Der<'_>) -> Result<String, Fault> {
    let (whole, content) = der.whole(der.peek().unwrap_or_default(), "value")?;
    let kind = whole.first().copied().unwrap_or_default();
    let bytes = content.rest();
    let text = match kind {
        0x0c | 0x12 | 0x13 | 0x16 | 0x1a => Some(String::from_utf8_lossy(bytes).into_owned()),
        0x14 => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
        0x1e => {
            let units = bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_be_bytes(*unit));
            Some(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
        }
        0x1c => {
            let units = bytes.as_chunks::<4>().0.iter().map(|unit| u32::from_be_bytes(*unit));
            Some(units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
        }
        _ => None,
    };
    Ok(text.unwrap_or_else(|| whole.iter().fold("#".to_owned(), |text, byte| format!("{text}{byte:02x}"))))
}

/// A name as text.
pub(crate) fn text(encoded: &[u8], how: u32) -> Result<String, Fault> {
    Name::of(encoded)?.text(how)
}

/// CERT_SIMPLE_NAME_STR, which searches compare with.
pub(crate) fn simple(encoded: &[u8]) -> Result<String, Fault> {
    text(encoded, SIMPLE)
}

/// CertNameToStr.
///
/// # Safety
/// `name` is null or a blob of bytes; `at` is null or has room for as many characters.
pub(crate) unsafe fn to_text<C: Charset>(
    name: *const Blob,
    how: u32,
    at: *mut c_void,
    room: u32,
) -> Result<u32, Fault> {
    if name.is_null() {
        return Err(Fault::INVALID_PARAMETER);
    }
    // SAFETY: as the caller says.
    let name = unsafe { name.read_unaligned() };
    // SAFETY: as the caller says.
    let text = text(unsafe { room::bytes(name.pbData, name.cbData) }?, how)?;
    // SAFETY: as the caller says.
    unsafe { room::put_text::<C>(&text, at, room) }
}

/// What CertGetNameString is asked for.
pub(crate) struct Wanted {
    pub(crate) context: *const CertContext,
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) parameter: *const c_void,
}

/// CERT_NAME_ISSUER_FLAG.
const OF_ISSUER: u32 = 1;

impl Wanted {
    /// # Safety
    /// `parameter` is what the kind asks for; `at` is null or has room for as many characters.
    pub(crate) unsafe fn put<C: Charset>(&self, at: *mut c_void, room: u32) -> Result<u32, Fault> {
        // SAFETY: as the caller says.
        let text = unsafe { self.find() }?;
        // SAFETY: as the caller says. A name that is not there is an empty one.
        unsafe { room::put_text::<C>(&text.unwrap_or_default(), at, room) }
    }

    /// # Safety
    /// As [`put`](Self::put).
    unsafe fn find(&self) -> Result<Option<String>, Fault> {
        // SAFETY: the caller says that a DWORD, or a string, stands there where one is asked for.
        let (how, oid) = unsafe {
            match self.kind {
                2 if !self.parameter.is_null() => (self.parameter.cast::<u32>().read_unaligned(), None),
                3 => (SIMPLE, Ansi::read(self.parameter)?),
                _ => (SIMPLE, None),
            }
        };
        let registry = registry();
        let entry = registry.context(self.context)?;
        let parsed = entry.shown.parsed()?;
        let of_issuer = self.flags & OF_ISSUER != 0;
        let name = Name::of(if of_issuer { parsed.issuer } else { parsed.subject }.raw())?;
        let alternative = |kind| alternative(&parsed, of_issuer, kind);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Ok(match self.kind {
            1 => alternative(EMAIL_ALTERNATIVE).or_else(|| owned(name.get(EMAIL))),
            2 => Some(name.text(how)?),
            3 => {
                let oid = oid.unwrap_or_default();
                let mut attributes = name.0.iter().flatten();
                attributes.find(|attribute| attribute.oid.to_string() == oid).map(|found| found.value.clone())
            }
            4 => display(&name, &alternative),
            5 => {
                let friendly = entry.properties.plain.get(&FRIENDLY_NAME).filter(|_| !of_issuer);
                let friendly = friendly.and_then(|bytes| Wide::decode(bytes).ok());
                let friendly = friendly.map(|text| text.trim_end_matches('\0').to_owned());
                friendly.filter(|text| !text.is_empty()).or_else(|| display(&name, &alternative))
            }
            6 => alternative(DNS_ALTERNATIVE).or_else(|| owned(name.get(COMMON_NAME))),
            7 => alternative(URL_ALTERNATIVE),
            _ => None,
        })
    }
}

/// CERT_NAME_SIMPLE_DISPLAY_TYPE.
fn display(name: &Name<'_>, alternative: &dyn Fn(u8) -> Option<String>) -> Option<String> {
    let of_name = [COMMON_NAME, UNIT, ORGANIZATION, EMAIL].iter().find_map(|oid| name.get(oid)).map(str::to_owned);
    let first = || name.0.iter().flatten().next().map(|attribute| attribute.value.clone());
    of_name.or_else(|| alternative(EMAIL_ALTERNATIVE)).or_else(first).or_else(|| alternative(DNS_ALTERNATIVE))
}

const EMAIL_ALTERNATIVE: u8 = 0x81;
const DNS_ALTERNATIVE: u8 = 0x82;
const URL_ALTERNATIVE: u8 = 0x86;

/// The first alternative name of this kind.
fn alternative(parsed: &Certificate<'_>, of_issuer: bool, kind: u8) -> Option<String> {
    let extension = parsed.extension(Oid(if of_issuer { ISSUER_ALTERNATIVES } else { SUBJECT_ALTERNATIVES }))?;
    let mut names = Der::new(extension.value).take(tag::SEQUENCE, "names").ok()?;
    while names.peek().is_some() {
        let (found, content) = names.any("name").ok()?;
        if found == kind {
            return Some(String::from_utf8_lossy(content.rest()).into_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name of these attributes, each of its own.
    fn name(attributes: &[(&[u8], u8, &[u8])]) -> Vec<u8> {
        use portcullis_wire::der::Constructed;
        let mut whole = Constructed::new();
        for (oid, kind, text) in attributes {
            let attribute = Constructed::new().with(tag::OID, oid).with(*kind, text).into_tlv(tag::SEQUENCE);
            whole = whole.with(SET, &attribute);
        }
        whole.into_tlv(tag::SEQUENCE)
    }

    #[test]
    fn names_as_windows_writes_them() {
        let encoded = name(&[
            (&[0x55, 4, 6], 0x13, b"DE"),
            (ORGANIZATION, 0x0c, "Bäcker, Sohn \"&\" Co".as_bytes()),
            (UNIT, 0x1e, &[0, b'A', 0xd8, 0x3d, 0xde, 0]),
            (COMMON_NAME, 0x14, b"J\xf6rg"),
            (&[0x2a, 3], 0x02, &[5]),
        ]);
        let expected = "C=DE, O=\"Bäcker, Sohn \"\"&\"\" Co\", OU=A😀, CN=Jörg, OID.1.2.3=\"#020105\"";
        assert_eq!(text(&encoded, X500).unwrap(), expected);
        let reversed = "#020105; Jörg; A😀; Bäcker, Sohn \"&\" Co; DE";
        assert_eq!(text(&encoded, SIMPLE | REVERSE | SEMICOLON | NO_QUOTING).unwrap(), reversed);
        assert!(text(&encoded, OID).unwrap().starts_with("2.5.4.6=DE, "));
        assert_eq!(text(&encoded, 9), Err(Fault::INVALID_ARGUMENT));
        assert_eq!(text(&name(&[]), X500).unwrap(), "");
        for len in 0..encoded.len() {
            assert!(text(&encoded[..len], X500).is_err(), "{len}");
        }
    }
}
