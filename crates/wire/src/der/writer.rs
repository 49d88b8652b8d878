/// Appends a value whose content is known.
pub fn tlv(tag: u8, content: &[u8], out: &mut Vec<u8>) {
    header(tag, content.len(), out);
    out.extend_from_slice(content);
}

/// Appends an INTEGER in its shortest form.
pub fn integer(value: i64, out: &mut Vec<u8>) {
    let bytes = value.to_be_bytes();
    // A byte is spared where the next one tells the same sign.
    let spared = bytes.windows(2).take_while(|pair| matches!(pair, [0, 0..0x80] | [0xff, 0x80..=0xff])).count();
    tlv(super::tag::INTEGER, bytes.get(spared..).unwrap_or_default(), out);
}

/// Appends a BIT STRING of 32 bits, the first of them the most significant.
pub fn bits32(value: u32, out: &mut Vec<u8>) {
    let [a, b, c, d] = value.to_be_bytes();
    tlv(super::tag::BIT_STRING, &[0, a, b, c, d], out);
}

/// The length in bytes of a value with `content` bytes of content.
pub const fn tlv_len(content: usize) -> usize {
    let digits = match content {
        0..0x80 => 0,
        0x80..0x100 => 1,
        0x100..0x1_0000 => 2,
        0x1_0000..0x100_0000 => 3,
        _ => 4,
    };
    2 + digits + content
}

/// A value made of others: its content is gathered first, then written behind its header.
#[derive(Debug, Default)]
pub struct Constructed(Vec<u8>);

/// As much as most values have: to grow by steps costs more than to ask for it.
const ROOM: usize = 192;

impl Constructed {
    /// Without content yet.
    pub fn new() -> Self {
        Self(Vec::with_capacity(ROOM))
    }

    /// Appends a value whose content is known.
    #[must_use]
    pub fn with(mut self, tag: u8, content: &[u8]) -> Self {
        tlv(tag, content, &mut self.0);
        self
    }

    /// Appends what is encoded already.
    #[must_use]
    pub fn with_encoded(mut self, value: &[u8]) -> Self {
        self.0.extend_from_slice(value);
        self
    }

    /// Appends `inner` in the explicit tag `outer` where there is content for it.
    #[must_use]
    pub fn with_optional(mut self, outer: u8, inner: u8, content: Option<&[u8]>) -> Self {
        if let Some(content) = content {
            header(outer, tlv_len(content.len()), &mut self.0);
            tlv(inner, content, &mut self.0);
        }
        self
    }

    /// Appends the INTEGER `value` in the explicit tag `outer`.
    #[must_use]
    pub fn with_integer(self, outer: u8, value: i64) -> Self {
        self.with_nested(outer, |out| integer(value, out))
    }

    /// The same where there is a number.
    #[must_use]
    pub fn with_optional_integer(self, outer: u8, value: Option<i64>) -> Self {
        self.with_optional_nested(outer, value, integer)
    }

    /// Appends what `inner` writes in the explicit tag `outer`.
    #[must_use]
    pub fn with_nested(mut self, outer: u8, inner: impl FnOnce(&mut Vec<u8>)) -> Self {
        let start = self.0.len();
        inner(&mut self.0);
        enclose(outer, start, &mut self.0);
        self
    }

    /// The same where there is a value to write.
    #[must_use]
    pub fn with_optional_nested<T>(self, outer: u8, value: Option<T>, inner: impl FnOnce(T, &mut Vec<u8>)) -> Self {
        match value {
            Some(value) => self.with_nested(outer, |out| inner(value, out)),
            None => self,
        }
    }

    /// Appends the whole with its `tag` to `out`.
    pub fn end(self, tag: u8, out: &mut Vec<u8>) {
        tlv(tag, &self.0, out);
    }

    /// The whole with its `tag`, for nesting.
    pub fn into_tlv(self, tag: u8) -> Vec<u8> {
        let mut out = Vec::with_capacity(tlv_len(self.0.len()));
        self.end(tag, &mut out);
        out
    }
}

/// Makes what stands in `out` from `start` on the content of a value with this tag.
pub fn enclose(tag: u8, start: usize, out: &mut Vec<u8>) {
    let end = out.len();
    header(tag, end.saturating_sub(start), out);
    let header = out.len() - end;
    // The header was written behind its content.
    if let Some(value) = out.get_mut(start..) {
        value.rotate_right(header);
    }
}

/// Appends the header of a value with `content` bytes of content, which the caller writes behind it.
pub fn header(tag: u8, content: usize, out: &mut Vec<u8>) {
    out.push(tag);
    let content = u32::try_from(content).unwrap_or(u32::MAX);
    let digits = content.to_be_bytes();
    let [_, _, c, d] = digits;
    match content {
        0..0x80 => out.push(d),
        0x80..0x100 => out.extend_from_slice(&[0x81, d]),
        0x100..0x1_0000 => out.extend_from_slice(&[0x82, c, d]),
        0x1_0000..0x100_0000 => {
            out.push(0x83);
            out.extend_from_slice(digits.split_at(1).1);
        }
        _ => {
            out.push(0x84);
            out.extend_from_slice(&digits);
        }
    }
}
