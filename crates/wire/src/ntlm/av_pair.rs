use crate::{Error, Kind, Reader, utf16};

/// The id of an attribute-value pair (MS-NLMP 2.2.2.1). Ids without a name are kept and ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvId(pub u16);

#[allow(missing_docs, reason = "the names are those of MS-NLMP 2.2.2.1, one row each")]
impl AvId {
    pub const EOL: Self = Self(0);
    pub const NB_COMPUTER_NAME: Self = Self(1);
    pub const NB_DOMAIN_NAME: Self = Self(2);
    pub const DNS_COMPUTER_NAME: Self = Self(3);
    pub const DNS_DOMAIN_NAME: Self = Self(4);
    pub const DNS_TREE_NAME: Self = Self(5);
    pub const FLAGS: Self = Self(6);
    pub const TIMESTAMP: Self = Self(7);
    pub const SINGLE_HOST: Self = Self(8);
    pub const TARGET_NAME: Self = Self(9);
    pub const CHANNEL_BINDINGS: Self = Self(10);
}

/// The value of [`AvId::FLAGS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AvFlags(pub u32);

impl AvFlags {
    /// The account is constrained.
    pub const CONSTRAINED: u32 = 0x1;
    /// The AUTHENTICATE message has a MIC.
    pub const MIC: u32 = 0x2;
    /// The target name comes from an unverified source and counts as absent.
    pub const UNVERIFIED_TARGET: u32 = 0x4;

    /// Whether the bit is set.
    pub const fn has(self, bit: u32) -> bool {
        self.0 & bit != 0
    }
}

/// One attribute-value pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvPair<'a> {
    /// What it is.
    pub id: AvId,
    /// Its value; text is UTF-16LE whatever the message's charset.
    pub value: &'a [u8],
    /// Offset of the pair in the list.
    pub offset: usize,
}

/// A list of attribute-value pairs, read up to its end mark. What follows the end mark is left alone: clients
/// append bytes that only the hash covers.
#[derive(Debug, Clone)]
pub struct AvPairs<'a> {
    reader: Reader<'a>,
    done: bool,
}

impl<'a> AvPairs<'a> {
    /// The list that begins at the first byte.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { reader: Reader::new(bytes), done: false }
    }

    /// The first pair of this id.
    ///
    /// # Errors
    /// [`Kind::Truncated`] or [`Kind::Unterminated`] when the list ends before its end mark.
    pub fn find(&self, id: AvId) -> Result<Option<AvPair<'a>>, Error> {
        let mut found = None;
        for pair in self.clone() {
            let pair = pair?;
            if pair.id == id && found.is_none() {
                found = Some(pair);
            }
        }
        Ok(found)
    }

    fn read(&mut self) -> Result<Option<AvPair<'a>>, Error> {
        let offset = self.reader.offset();
        if self.reader.rest().is_empty() {
            return Err(Error::new(offset, "AvPairs", Kind::Unterminated));
        }
        let id = AvId(self.reader.u16("AvId")?);
        let len = self.reader.u16("AvLen")?;
        let value = self.reader.take(usize::from(len), "AvValue")?;
        Ok((id != AvId::EOL).then_some(AvPair { id, value, offset }))
    }
}

impl<'a> Iterator for AvPairs<'a> {
    type Item = Result<AvPair<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let pair = self.read().transpose();
        self.done = !matches!(pair, Some(Ok(_)));
        pair
    }
}

/// Appends a pair. A value of more than 65535 bytes cannot be said and is left out.
pub fn push_av_pair(out: &mut Vec<u8>, id: AvId, value: &[u8]) {
    if let Ok(len) = u16::try_from(value.len()) {
        out.extend_from_slice(&id.0.to_le_bytes());
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(value);
    }
}

/// Appends a pair whose value is text.
pub fn push_av_text(out: &mut Vec<u8>, id: AvId, text: &str) {
    push_av_pair(out, id, &utf16::encode(text));
}
