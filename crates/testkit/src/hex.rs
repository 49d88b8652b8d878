//! Bytes as text and back.

/// Lower-case hexadecimal.
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of hexadecimal text, white space left out; `None` for anything else.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16)).collect::<Option<Vec<_>>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| u8::try_from(high << 4 | low).ok()).collect()
}

/// The bytes of hexadecimal text that stands in a test.
///
/// # Panics
/// When it is not hexadecimal.
pub fn bytes(text: &str) -> Vec<u8> {
    decode(text).unwrap()
}
