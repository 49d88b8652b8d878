use super::VERSION;
use portcullis_wire::Writer;
use portcullis_wire::ntlm::{Flags, SIGNATURE};

/// How the fields of AUTHENTICATE lie in the message. The default is as Windows lays them out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The order of the payload.
    pub order: [Slot; 6],
    /// How many bytes of nothing stand before each field.
    pub gap: usize,
    /// Whether the version field is there at all; without it there is no MIC either.
    pub version: bool,
    /// The offset that empty fields carry; `None` for where they would stand.
    pub empty_at: Option<u32>,
    /// The maximum length that all fields say; `None` for their length.
    pub max_len: Option<u16>,
    /// Bytes behind the message.
    pub glued: Vec<u8>,
}

/// A variable field of AUTHENTICATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of MS-NLMP 2.2.1.3")]
pub enum Slot {
    Lm,
    Nt,
    Domain,
    User,
    Workstation,
    Key,
}

impl Default for Layout {
    fn default() -> Self {
        let order = [Slot::Domain, Slot::User, Slot::Workstation, Slot::Lm, Slot::Nt, Slot::Key];
        Self { order, gap: 0, version: true, empty_at: None, max_len: None, glued: Vec::new() }
    }
}

pub(super) struct Fields {
    pub(super) lm: Vec<u8>,
    pub(super) nt: Vec<u8>,
    pub(super) domain: Vec<u8>,
    pub(super) user: Vec<u8>,
    pub(super) workstation: Vec<u8>,
    pub(super) key: Vec<u8>,
}

impl Fields {
    fn get(&self, slot: Slot) -> &[u8] {
        match slot {
            Slot::Lm => &self.lm,
            Slot::Nt => &self.nt,
            Slot::Domain => &self.domain,
            Slot::User => &self.user,
            Slot::Workstation => &self.workstation,
            Slot::Key => &self.key,
        }
    }
}

impl Layout {
    /// The message, its MIC field zero.
    pub(super) fn write(&self, fields: &Fields, flags: Flags, mic: bool) -> Vec<u8> {
        let start = match (self.version, mic) {
            (false, _) => 64,
            (true, false) => 72,
            (true, true) => 88,
        };
        let mut payload = Vec::new();
        let mut offsets = [0u32; 6];
        for slot in self.order {
            payload.resize(payload.len() + self.gap, 0xee);
            offsets[slot as usize] = u32::try_from(start + payload.len()).unwrap();
            payload.extend_from_slice(fields.get(slot));
        }
        let mut out = Vec::new();
        let mut writer = Writer::new(&mut out);
        writer.bytes(&SIGNATURE).u32(3);
        for slot in [Slot::Lm, Slot::Nt, Slot::Domain, Slot::User, Slot::Workstation, Slot::Key] {
            let len = u16::try_from(fields.get(slot).len()).unwrap();
            let offset = self.empty_at.filter(|_| len == 0).unwrap_or(offsets[slot as usize]);
            writer.u16(len).u16(self.max_len.unwrap_or(len)).u32(offset);
        }
        writer.u32(flags.0);
        if self.version {
            match flags.contains(Flags::VERSION) {
                true => {
                    writer.u8(VERSION.major).u8(VERSION.minor).u16(VERSION.build).bytes(&[0, 0, 0, VERSION.revision])
                }
                false => writer.u64(0),
            };
        }
        if self.version && mic {
            writer.bytes(&[0; 16]);
        }
        writer.bytes(&payload).bytes(&self.glued);
        out
    }
}
