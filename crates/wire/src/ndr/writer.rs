use super::{COMMON_HEADER, HEADERS, LITTLE_ENDIAN, VERSION};
use crate::sid::Sid;
use crate::utf16;

/// Writes one serialized structure. Each write aligns itself first.
#[derive(Debug)]
pub struct NdrWriter {
    bytes: Vec<u8>,
    referents: u32,
}

/// The first referent id that Windows gives; the next ones follow in steps of four.
const FIRST_REFERENT: u32 = 0x0002_0000;

impl NdrWriter {
    /// The headers, and the pointer to the structure.
    #[allow(clippy::new_without_default, reason = "it is not empty")]
    pub fn new() -> Self {
        let mut bytes = vec![VERSION, LITTLE_ENDIAN];
        bytes.extend_from_slice(&COMMON_HEADER.to_le_bytes());
        bytes.extend_from_slice(&[0xcc; 4]);
        bytes.extend_from_slice(&[0; 8]);
        let mut writer = Self { bytes, referents: 0 };
        writer.pointer(true);
        writer
    }

    /// Zeros up to something of this alignment.
    pub fn align(&mut self, to: usize) -> &mut Self {
        let len = self.bytes.len();
        self.bytes.resize(len.next_multiple_of(to), 0);
        self
    }

    /// Bytes, unaligned.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// A 16-bit number.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.align(2).bytes(&value.to_le_bytes())
    }

    /// A 32-bit number.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.align(4).bytes(&value.to_le_bytes())
    }

    /// A 64-bit number (`hyper`).
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.align(8).bytes(&value.to_le_bytes())
    }

    /// A FILETIME.
    pub fn filetime(&mut self, value: u64) -> &mut Self {
        self.align(4).bytes(&value.to_le_bytes())
    }

    /// A pointer: to something that will follow, or null.
    pub fn pointer(&mut self, present: bool) -> &mut Self {
        let referent = FIRST_REFERENT.wrapping_add(self.referents.wrapping_mul(4));
        self.referents = self.referents.wrapping_add(u32::from(present));
        self.u32(if present { referent } else { 0 })
    }

    /// A count, or the maximum count of a conformant array.
    pub fn count(&mut self, count: usize) -> &mut Self {
        self.u32(count.try_into().unwrap_or(u32::MAX))
    }

    /// An RPC_UNICODE_STRING, as far as it stands in its structure; [`Self::text`] follows.
    pub fn text_header(&mut self, text: &str) -> &mut Self {
        let len = sayable(text).saturating_mul(2).try_into().unwrap_or(u16::MAX);
        self.align(4).u16(len).u16(len).pointer(true)
    }

    /// The text of an RPC_UNICODE_STRING; of more than 32767 units the rest is left out.
    pub fn text(&mut self, text: &str) -> &mut Self {
        let units = sayable(text);
        self.count(units).u32(0).count(units);
        let encoded = utf16::encode(text);
        self.bytes(encoded.get(..units * 2).unwrap_or_default())
    }

    /// A zero-terminated string.
    pub fn terminated_text(&mut self, text: &str) -> &mut Self {
        let units = text.encode_utf16().count() + 1;
        self.count(units).u32(0).count(units).bytes(&utf16::encode(text)).u16(0)
    }

    /// An RPC_SID.
    pub fn sid(&mut self, sid: &Sid) -> &mut Self {
        self.count(sid.sub_authorities().len());
        sid.encode_into(&mut self.bytes);
        self
    }

    /// Pads the structure, fills its length in, and appends all to `out`.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        self.align(8);
        let len = u32::try_from(self.bytes.len() - HEADERS).unwrap_or(u32::MAX);
        if let Some(field) = self.bytes.get_mut(8..12) {
            field.copy_from_slice(&len.to_le_bytes());
        }
        out.append(&mut self.bytes);
    }
}

/// How many UTF-16 units of a text an RPC_UNICODE_STRING can hold.
fn sayable(text: &str) -> usize {
    text.encode_utf16().count().min(usize::from(u16::MAX / 2))
}
