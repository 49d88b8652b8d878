//! UTF-16LE text as Windows writes it, and its upper-casing.

use crate::{Error, Kind, upcase};

/// Decodes UTF-16LE.
///
/// # Errors
/// [`Kind::NotUtf16`] on an odd length or an unpaired surrogate: such a name could not be compared with any account.
pub fn decode(bytes: &[u8], offset: usize, field: &'static str) -> Result<String, Error> {
    let mut text = String::with_capacity(bytes.len() / 2);
    decode_into(bytes, offset, field, &mut text)?;
    Ok(text)
}

/// Decodes UTF-16LE behind what `text` holds.
///
/// # Errors
/// As [`decode`]; `text` then ends with what could be read.
pub fn decode_into(bytes: &[u8], offset: usize, field: &'static str, text: &mut String) -> Result<(), Error> {
    let bad = Error::new(offset, field, Kind::NotUtf16);
    let (pairs, []) = bytes.as_chunks::<2>() else { return Err(bad) };
    // Nearly every name is ASCII.
    if pairs.iter().all(|[low, high]| *high == 0 && low.is_ascii()) {
        text.extend(pairs.iter().map(|[low, _]| char::from(*low)));
        return Ok(());
    }
    for unit in char::decode_utf16(pairs.iter().map(|pair| u16::from_le_bytes(*pair))) {
        text.push(unit.map_err(|_| bad)?);
    }
    Ok(())
}

/// Appends `text` as UTF-16LE.
pub fn encode_into(text: &str, out: &mut Vec<u8>) {
    for unit in text.encode_utf16() {
        out.extend_from_slice(&unit.to_le_bytes());
    }
}

/// `text` as UTF-16LE.
pub fn encode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() * 2);
    encode_into(text, &mut out);
    out
}

/// The code units of `text`, upper-cased as Windows does: unit by unit, one to one.
///
/// This is not Unicode's full mapping: `ß` stays `ß`, and a character outside the basic plane stays as it is.
pub fn upper(text: &str) -> impl Iterator<Item = u16> + '_ {
    text.encode_utf16().map(upcase::unit)
}

/// `text` upper-cased by [`upper`]: the form under which account names are compared.
///
/// ```
/// assert_eq!(portcullis_wire::utf16::upper_string("straße.müller"), "STRAßE.MÜLLER");
/// ```
pub fn upper_string(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_uppercase();
    }
    char::decode_utf16(upper(text)).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Whether two names are the same to Windows.
pub fn same_name(a: &str, b: &str) -> bool {
    a == b || upper(a).eq(upper(b))
}
