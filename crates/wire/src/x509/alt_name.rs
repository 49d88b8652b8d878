use super::name::Name;
use super::oid;
use crate::der::{Der, Oid, tag};
use crate::{Error, Kind};

/// One of a subject's other names (GeneralName, RFC 5280 §4.2.1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GeneralName<'a> {
    /// A mail address.
    Rfc822(&'a str),
    /// A host's name; it may begin with `*.`.
    Dns(&'a str),
    /// A URI.
    Uri(&'a str),
    /// An address of four or sixteen bytes.
    Ip(&'a [u8]),
    /// A distinguished name.
    Directory(Name<'a>),
    /// A name of another kind: which kind, and its value in DER.
    Other(Oid<'a>, &'a [u8]),
    /// A kind that is not read here: its tag and content.
    Unread(u8, &'a [u8]),
}

/// A list of names, all of which were read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GeneralNames<'a> {
    bytes: &'a [u8],
    offset: usize,
}

/// The most names of a list.
const MAX_NAMES: usize = 512;

const FIELD: &str = "subjectAltName";

impl<'a> GeneralNames<'a> {
    pub(super) fn read(der: &Der<'a>) -> Result<Self, Error> {
        let mut der = der.clone();
        let list = der.take(tag::SEQUENCE, FIELD)?;
        der.finish(FIELD)?;
        let (mut cursor, mut count) = (list.clone(), 0);
        while cursor.peek().is_some() {
            if count == MAX_NAMES {
                return Err(Error::new(cursor.offset(), FIELD, Kind::TooLarge));
            }
            count += 1;
            read_one(&mut cursor)?;
        }
        Ok(Self { bytes: list.rest(), offset: list.offset() })
    }

    pub(super) const fn none() -> Self {
        Self { bytes: &[], offset: 0 }
    }

    /// The user principal name among them (szOID_NT_PRINCIPAL_NAME, [MS-WCCE] 2.2.2.7.7: a UTF8String).
    ///
    /// # Errors
    /// Where it is no such string, or several stand there that differ: which of them would count depends on the reader.
    pub fn user_principal_name(self) -> Result<Option<&'a str>, Error> {
        let mut found = None;
        for (at, name) in self.with_offsets() {
            let GeneralName::Other(oid::USER_PRINCIPAL_NAME, value) = name else { continue };
            let mut der = Der::within(value, at);
            let text = utf8_string(&mut der)?;
            der.finish(FIELD)?;
            if found.is_some_and(|before| before != text) {
                return Err(Error::new(at, FIELD, Kind::Unexpected));
            }
            found = Some(text);
        }
        Ok(found)
    }

    /// Each name, and where it begins.
    fn with_offsets(mut self) -> impl Iterator<Item = (usize, GeneralName<'a>)> {
        std::iter::from_fn(move || {
            let at = self.offset;
            self.next().map(|name| (at, name))
        })
    }
}

impl<'a> Iterator for GeneralNames<'a> {
    type Item = GeneralName<'a>;

    fn next(&mut self) -> Option<GeneralName<'a>> {
        let mut der = Der::within(self.bytes, self.offset);
        let name = read_one(&mut der).ok()?;
        (self.bytes, self.offset) = (der.rest(), der.offset());
        Some(name)
    }
}

const OTHER: u8 = tag::context(0);
const RFC822: u8 = tag::context_primitive(1);
const DNS: u8 = tag::context_primitive(2);
const DIRECTORY: u8 = tag::context(4);
const URI: u8 = tag::context_primitive(6);
const IP: u8 = tag::context_primitive(7);

fn read_one<'a>(der: &mut Der<'a>) -> Result<GeneralName<'a>, Error> {
    let at = der.offset();
    let (tag, mut content) = der.any(FIELD)?;
    let bad = Error::new(at, FIELD, Kind::Unexpected);
    let ascii = |bytes: &'a [u8]| std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii()).ok_or(bad);
    Ok(match tag {
        OTHER => {
            let oid = content.oid(FIELD)?;
            let mut explicit = content.take(tag::context(0), FIELD)?;
            content.finish(FIELD)?;
            let value = explicit.rest();
            explicit.any(FIELD)?;
            explicit.finish(FIELD)?;
            GeneralName::Other(oid, value)
        }
        RFC822 => GeneralName::Rfc822(ascii(content.rest())?),
        DNS => GeneralName::Dns(ascii(content.rest())?),
        URI => GeneralName::Uri(ascii(content.rest())?),
        IP if matches!(content.rest().len(), 4 | 16) => GeneralName::Ip(content.rest()),
        IP => return Err(Error::new(at, FIELD, Kind::WrongLength)),
        DIRECTORY => {
            // Explicit, for a Name is a CHOICE (X.680 §31.2.7).
            let name = Name::read(&mut content, FIELD)?;
            content.finish(FIELD)?;
            GeneralName::Directory(name)
        }
        // x400Address, ediPartyName, registeredID.
        0xa3 | 0xa5 | 0x88 => GeneralName::Unread(tag, content.rest()),
        _ => return Err(bad),
    })
}

fn utf8_string<'a>(der: &mut Der<'a>) -> Result<&'a str, Error> {
    let at = der.offset();
    std::str::from_utf8(der.bytes(tag::UTF8_STRING, FIELD)?).map_err(|_| Error::new(at, FIELD, Kind::Unexpected))
}
