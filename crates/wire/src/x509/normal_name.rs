use super::name_text;
use crate::der::{Oid, tag, tlv};
use std::fmt::{self, Write as _};

/// A distinguished name as it is compared: the parts in the order of the certificate, text as text whatever its type
/// was, the attributes of one relative name sorted. Nothing is folded: names that differ in case or in spaces differ.
/// RFC 5280 §7.1 would let them be equal; which identity is meant must not hang on who folds how.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct NormalName {
    rdns: Vec<Vec<Attribute>>,
}

/// One attribute of a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attribute {
    /// The content bytes of its OID.
    pub oid: Vec<u8>,
    /// What it says.
    pub value: Value,
}

/// What an attribute says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// Text, of whichever string type.
    Text(String),
    /// Anything else, in DER.
    Other(Vec<u8>),
}

/// Why a text is no distinguished name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAName(pub(super) &'static str);

impl fmt::Display for NotAName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a distinguished name: {}", self.0)
    }
}

impl std::error::Error for NotAName {}

impl NormalName {
    pub(super) fn of(mut rdns: Vec<Vec<Attribute>>) -> Self {
        rdns.iter_mut().for_each(|attributes| attributes.sort());
        Self { rdns }
    }

    /// Reads a name in the order of the certificate, as Windows writes it: `DC=com,DC=contoso,CN=CA`. Backslashes escape
    /// as in RFC 4514; values may stand in double quotes, as Windows puts them.
    ///
    /// # Errors
    /// With what is wrong.
    pub fn from_windows_order(text: &str) -> Result<Self, NotAName> {
        name_text::parse(text).map(Self::of)
    }

    /// Reads a name in the order of RFC 4514, the most special part first: `CN=CA,DC=contoso,DC=com`.
    ///
    /// # Errors
    /// With what is wrong.
    pub fn from_rfc4514(text: &str) -> Result<Self, NotAName> {
        name_text::parse(text).map(|mut rdns| {
            rdns.reverse();
            Self::of(rdns)
        })
    }

    /// The relative names in the order of the certificate.
    pub fn rdns(&self) -> &[Vec<Attribute>] {
        &self.rdns
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.rdns.is_empty()
    }

    /// One form for each name, and no form for two: everything stands behind its length.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let number = |len: usize| u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes();
        for attributes in &self.rdns {
            out.extend(number(attributes.len()));
            for Attribute { oid, value } in attributes {
                let (kind, value) = match value {
                    Value::Text(text) => (0, text.as_bytes()),
                    Value::Other(bytes) => (1, bytes.as_slice()),
                };
                for part in [oid.as_slice(), &[kind], value] {
                    out.extend(number(part.len()));
                    out.extend_from_slice(part);
                }
            }
        }
        out
    }

    /// The name as altSecurityIdentities has it: in the order of the certificate and with Windows' short names, as in
    /// KB5014754. What Windows would put in quotes is escaped as in RFC 4514: either is understood here.
    pub fn windows_order(&self) -> String {
        self.print(self.rdns.iter(), |attribute, out| match (attribute.row().and_then(|row| row.windows), attribute) {
            (Some(name), _) => value(name, &attribute.value, out),
            (None, Attribute { oid, value: said }) => value(&format!("OID.{}", Oid(oid)), said, out),
        })
    }

    fn print<'n>(
        &'n self,
        rdns: impl Iterator<Item = &'n Vec<Attribute>>,
        one: impl Fn(&Attribute, &mut String),
    ) -> String {
        let mut out = String::new();
        for (number, attributes) in rdns.enumerate() {
            if number > 0 {
                out.push(',');
            }
            for (number, attribute) in attributes.iter().enumerate() {
                if number > 0 {
                    out.push('+');
                }
                one(attribute, &mut out);
            }
        }
        out
    }
}

impl fmt::Display for NormalName {
    /// In the form of RFC 4514.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.print(self.rdns.iter().rev(), |attribute, out| match (attribute.row(), &attribute.value) {
            (Some(row), said) => value(row.rfc, said, out),
            // A number goes with a value in DER (RFC 4514 §2.4).
            (None, Value::Text(text)) => {
                let mut der = Vec::new();
                tlv(tag::UTF8_STRING, text.as_bytes(), &mut der);
                value(&Oid(&attribute.oid).to_string(), &Value::Other(der), out);
            }
            (None, said) => value(&Oid(&attribute.oid).to_string(), said, out),
        }))
    }
}

impl Attribute {
    fn row(&self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.oid == self.oid)
    }
}

impl Value {
    /// Reads a value: `tag` and `content` of the one that is `whole` in DER. `None` for text that is none.
    pub(super) fn read(tag: u8, content: &[u8], whole: &[u8]) -> Option<Self> {
        let text = match tag {
            tag::UTF8_STRING => std::str::from_utf8(content).ok()?.to_owned(),
            // Issuers write `@` and `*` into PrintableStrings; ASCII is what all readers agree on.
            tag::PRINTABLE_STRING | tag::IA5_STRING | tag::NUMERIC_STRING | tag::VISIBLE_STRING => {
                std::str::from_utf8(content).ok().filter(|text| text.is_ascii())?.to_owned()
            }
            // What is in use is Latin-1, not T.61.
            tag::TELETEX_STRING => content.iter().copied().map(char::from).collect(),
            tag::BMP_STRING => {
                let (units, []) = content.as_chunks::<2>() else { return None };
                char::decode_utf16(units.iter().copied().map(u16::from_be_bytes)).collect::<Result<_, _>>().ok()?
            }
            tag::UNIVERSAL_STRING => {
                let (units, []) = content.as_chunks::<4>() else { return None };
                units.iter().map(|unit| char::from_u32(u32::from_be_bytes(*unit))).collect::<Option<_>>()?
            }
            _ => return Some(Self::Other(whole.to_vec())),
        };
        Some(Self::Text(text))
    }
}

/// Writes an attribute, its value escaped so that it reads as itself.
fn value(name: &str, said: &Value, out: &mut String) {
    out.push_str(name);
    out.push('=');
    match said {
        Value::Text(text) => escape(text, out),
        Value::Other(der) => {
            out.push('#');
            der.iter().for_each(|byte| _ = write!(out, "{byte:02x}"));
        }
    }
}

/// RFC 4514 §2.4. The angle brackets stand for the marks of altSecurityIdentities: a name cannot forge one.
fn escape(text: &str, out: &mut String) {
    let last = text.chars().count().saturating_sub(1);
    for (at, c) in text.chars().enumerate() {
        match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=' => out.extend(['\\', c]),
            '#' if at == 0 => out.push_str("\\#"),
            ' ' if at == 0 || at == last => out.push_str("\\ "),
            c if c.is_control() => {
                c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| _ = write!(out, "\\{byte:02x}"));
            }
            c => out.push(c),
        }
    }
}

/// The content bytes of the OID that a name says: a short name in any case, or numbers with dots between, with or
/// without `OID.` before them.
pub(super) fn oid_named(name: &str) -> Option<Vec<u8>> {
    let known = |row: &&Row| {
        let names = [Some(row.rfc), row.windows].into_iter().flatten().chain(row.others.iter().copied());
        names.into_iter().any(|known| known.eq_ignore_ascii_case(name))
    };
    if let Some(row) = ROWS.iter().find(known) {
        return Some(row.oid.to_vec());
    }
    let numbers = match name.split_at_checked(4) {
        Some((before, numbers)) if before.eq_ignore_ascii_case("oid.") => numbers,
        _ => name,
    };
    Oid::parse(numbers)
}

/// An attribute that has a short name.
struct Row {
    oid: &'static [u8],
    /// As RFC 4514 §3 and the registry of LDAP's names have it.
    rfc: &'static str,
    /// As Windows' CertNameToStr writes it.
    windows: Option<&'static str>,
    others: &'static [&'static str],
}

const fn row(oid: &'static [u8], rfc: &'static str, windows: &'static str, others: &'static [&'static str]) -> Row {
    Row { oid, rfc, windows: Some(windows), others }
}

const ROWS: &[Row] = &[
    row(&[0x55, 0x04, 0x03], "CN", "CN", &["commonName"]),
    row(&[0x55, 0x04, 0x0a], "O", "O", &["organizationName"]),
    row(&[0x55, 0x04, 0x0b], "OU", "OU", &["organizationalUnitName"]),
    row(&[0x55, 0x04, 0x06], "C", "C", &["countryName"]),
    row(&[0x55, 0x04, 0x07], "L", "L", &["localityName"]),
    row(&[0x55, 0x04, 0x08], "ST", "S", &["stateOrProvinceName"]),
    row(&[0x55, 0x04, 0x09], "STREET", "STREET", &["streetAddress"]),
    row(&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19], "DC", "DC", &["domainComponent"]),
    row(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01], "emailAddress", "E", &["EMAIL"]),
    row(&[0x55, 0x04, 0x0c], "title", "T", &[]),
    row(&[0x55, 0x04, 0x2a], "givenName", "G", &["GN"]),
    row(&[0x55, 0x04, 0x2b], "initials", "I", &[]),
    row(&[0x55, 0x04, 0x04], "SN", "SN", &["surname"]),
    row(&[0x55, 0x04, 0x05], "serialNumber", "SERIALNUMBER", &[]),
    Row {
        oid: &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01],
        rfc: "UID",
        // CertNameToStr writes its number.
        windows: None,
        others: &["userId"],
    },
];
