//! Distinguished names as people and directories write them (RFC 4514, and the quotes of CertStrToName).

use super::name::MAX_PARTS;
use super::normal_name::{Attribute, NotAName, Value, oid_named};
use crate::der::Der;

/// The longest text that is read.
const MAX_TEXT: usize = 64 * 1024;

/// Reads a name; the relative names stay in the order of the text.
pub(super) fn parse(text: &str) -> Result<Vec<Vec<Attribute>>, NotAName> {
    if text.len() > MAX_TEXT {
        return Err(NotAName("it is too long"));
    }
    let mut cursor = Cursor(text);
    cursor.skip_spaces();
    let mut rdns = Vec::new();
    if cursor.peek().is_none() {
        return Ok(rdns);
    }
    loop {
        let mut attributes = vec![cursor.attribute()?];
        while cursor.take('+') {
            attributes.push(cursor.attribute()?);
        }
        if attributes.len() > MAX_PARTS || rdns.len() == MAX_PARTS {
            return Err(NotAName("it has too many parts"));
        }
        rdns.push(attributes);
        match cursor.next() {
            None => return Ok(rdns),
            Some(',' | ';') => {}
            Some(_) => return Err(NotAName("something stands behind a value; a comma belongs between two parts")),
        }
    }
}

/// Splits a text before the first `<` that no backslash escapes and no quotes enclose.
pub(super) fn split_at_mark(text: &str) -> (&str, &str) {
    let (mut escaped, mut quoted) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if !quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => return text.split_at_checked(at).unwrap_or((text, "")),
            _ => {}
        }
    }
    (text, "")
}

struct Cursor<'t>(&'t str);

impl Cursor<'_> {
    fn peek(&self) -> Option<char> {
        self.0.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.0.chars();
        let next = chars.next();
        self.0 = chars.as_str();
        next
    }

    fn take(&mut self, c: char) -> bool {
        let taken = self.peek() == Some(c);
        if taken {
            self.next();
        }
        taken
    }

    fn skip_spaces(&mut self) {
        self.0 = self.0.trim_start_matches(' ');
    }

    fn attribute(&mut self) -> Result<Attribute, NotAName> {
        let (name, rest) =
            self.0.split_once('=').ok_or(NotAName("a part has no `=`; a comma inside a value is written \\,"))?;
        self.0 = rest;
        let oid = oid_named(name.trim_matches(' '));
        let oid = oid.ok_or(NotAName(
            "before a `=` stands neither a short name (CN, O, OU, C, L, S, STREET, DC, E, T, G, I, SN, SERIALNUMBER, UID) \
             nor an OID; a comma inside a value is written \\,",
        ))?;
        self.skip_spaces();
        let value = match self.peek() {
            Some('#') => self.der()?,
            Some('"') => Value::Text(self.quoted()?),
            _ => Value::Text(self.plain()?),
        };
        Ok(Attribute { oid, value })
    }

    /// `#` and a value in DER, in hexadecimal (RFC 4514 §2.4).
    fn der(&mut self) -> Result<Value, NotAName> {
        const BAD: NotAName = NotAName("behind `#` stands no value in DER; a text that begins with # is written \\#");
        self.next();
        let end = self.0.find([',', ';', '+']).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at_checked(end).ok_or(BAD)?;
        self.0 = rest;
        let whole = super::alt_security_identity::unhex(digits.trim_end_matches(' ')).ok_or(BAD)?;
        let mut der = Der::new(&whole);
        let (tag, content) = der.any("value").map_err(|_| BAD)?;
        der.finish("value").map_err(|_| BAD)?;
        Value::read(tag, content.rest(), &whole).ok_or(BAD)
    }

    /// A value in quotes; a quote inside is doubled, as CertNameToStr does. A backslash means itself to Windows and an
    /// escape to RFC 2253: it is refused, since a guess could mean another name.
    fn quoted(&mut self) -> Result<String, NotAName> {
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') if self.take('"') => text.push('"'),
                Some('"') => break,
                Some('\\') => return Err(NotAName("a backslash in quotes; leave the quotes out, and write \\\\")),
                Some(c) if !c.is_control() => text.push(c),
                Some(_) => return Err(CONTROL),
                None => return Err(NotAName("quotes are not closed")),
            }
        }
        self.skip_spaces();
        Ok(text)
    }

    /// A value without quotes; spaces at its ends count only where they are escaped.
    fn plain(&mut self) -> Result<String, NotAName> {
        let (mut bytes, mut kept) = (Vec::new(), 0);
        while let Some(c) = self.peek().filter(|c| !matches!(c, ',' | ';' | '+')) {
            self.next();
            match c {
                '\\' => bytes.push(self.escaped()?),
                '"' | '<' | '>' => return Err(NotAName("\", < and > inside a value are written \\\", \\< and \\>")),
                c if c.is_control() => return Err(CONTROL),
                c => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
            if c != ' ' {
                kept = bytes.len();
            }
        }
        bytes.truncate(kept);
        String::from_utf8(bytes).map_err(|_| NotAName("escaped bytes are no UTF-8"))
    }

    /// What stands behind a backslash: a character that means something else otherwise, or a byte in hexadecimal.
    fn escaped(&mut self) -> Result<u8, NotAName> {
        const BAD: NotAName =
            NotAName("behind a backslash stands neither one of \"+,;<>\\#= or a space, nor two hexadecimal digits");
        match self.next() {
            Some(c @ ('"' | '+' | ',' | ';' | '<' | '>' | '\\' | '#' | '=' | ' ')) => u8::try_from(c).map_err(|_| BAD),
            Some(high) => {
                let digits = high.to_digit(16).zip(self.next().and_then(|low| low.to_digit(16))).ok_or(BAD)?;
                u8::try_from(digits.0 * 16 + digits.1).map_err(|_| BAD)
            }
            None => Err(BAD),
        }
    }
}

const CONTROL: NotAName = NotAName("a control character, which is written as \\ and two hexadecimal digits");
