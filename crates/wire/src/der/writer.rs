/// Appends a value whose content is known.
pub fn tlv(tag: u8, content: &[u8], out: &mut Vec<u8>) {
    header(tag, content.len(), out);
    out.extend_from_slice(content);
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

impl Constructed {
    /// Without content yet.
    pub const fn new() -> Self {
        Self(Vec::new())
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
    pub fn with_optional(self, outer: u8, inner: u8, content: Option<&[u8]>) -> Self {
        match content {
            Some(content) => self.with(outer, &Self::new().with(inner, content).0),
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

fn header(tag: u8, content: usize, out: &mut Vec<u8>) {
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
