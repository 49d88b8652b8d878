use crate::ndr::{NdrReader, NdrWriter};
use crate::sid::Sid;
use crate::{Error, Kind};

/// The attributes of a group (MS-PAC 2.2.1, SE_GROUP_* of Windows).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupAttributes(pub u32);

#[allow(missing_docs, reason = "the names are those of SE_GROUP_*, one row each")]
impl GroupAttributes {
    pub const MANDATORY: u32 = 0x1;
    pub const ENABLED_BY_DEFAULT: u32 = 0x2;
    pub const ENABLED: u32 = 0x4;
    pub const OWNER: u32 = 0x8;
    pub const USE_FOR_DENY_ONLY: u32 = 0x10;
    pub const RESOURCE: u32 = 0x2000_0000;
}

impl GroupAttributes {
    /// Whether being in such a group may give anything. A group that is not enabled gives nothing; one that is for
    /// denying only takes away and never gives.
    pub const fn grants(self) -> bool {
        self.0 & Self::ENABLED != 0 && self.0 & Self::USE_FOR_DENY_ONLY == 0
    }
}

/// A pointer to an array, and the count that stands beside it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Array {
    pub(super) count: u32,
    pub(super) present: bool,
}

impl Array {
    /// The next count, and the pointer right behind it.
    pub(super) fn read(ndr: &mut NdrReader<'_>, field: &'static str) -> Result<Self, Error> {
        Ok(Self { count: ndr.u32(field)?, present: ndr.pointer(field)? })
    }

    /// How many elements follow, of at least `size` bytes each. Some without a pointer are an error.
    pub(super) fn begin(self, ndr: &mut NdrReader<'_>, size: usize, field: &'static str) -> Result<usize, Error> {
        match self {
            Self { count: 0, present: false } => Ok(0),
            Self { present: false, .. } => Err(Error::new(ndr.offset(), field, Kind::Unexpected)),
            Self { count, present: true } => ndr.conformance(count, size, field),
        }
    }
}

/// An array of GROUP_MEMBERSHIP (MS-PAC 2.2.2): relative ids with their attributes.
pub(super) fn groups(ndr: &mut NdrReader<'_>, array: Array, field: &'static str) -> Result<Vec<(u32, u32)>, Error> {
    let count = array.begin(ndr, 8, field)?;
    let mut groups = Vec::with_capacity(count);
    for _ in 0..count {
        groups.push((ndr.u32(field)?, ndr.u32(field)?));
    }
    Ok(groups)
}

/// The SID behind a pointer.
pub(super) fn sid(ndr: &mut NdrReader<'_>, present: bool, field: &'static str) -> Result<Option<Sid>, Error> {
    if present { ndr.sid(field).map(Some) } else { Ok(None) }
}

/// An array of KERB_SID_AND_ATTRIBUTES (MS-PAC 2.2.1): all pointers first, then what they point to.
pub(super) fn sids(ndr: &mut NdrReader<'_>, array: Array, field: &'static str) -> Result<Vec<(Sid, u32)>, Error> {
    let count = array.begin(ndr, SMALLEST_SID, field)?;
    let mut attributes = Vec::with_capacity(count);
    for _ in 0..count {
        let at = ndr.offset();
        if !ndr.pointer(field)? {
            return Err(Error::new(at, field, Kind::Unexpected));
        }
        attributes.push(ndr.u32(field)?);
    }
    attributes.into_iter().map(|attributes| Ok((ndr.sid(field)?, attributes))).collect()
}

/// A pointer and attributes, a count, and a SID without sub-authorities.
const SMALLEST_SID: usize = 8 + 4 + 8;

/// Writes what [`sid`] reads.
pub(super) fn write_sid(ndr: &mut NdrWriter, sid: Option<Sid>) {
    if let Some(sid) = sid {
        ndr.sid(&sid);
    }
}

/// Writes what [`groups`] reads.
pub(super) fn write_groups(ndr: &mut NdrWriter, groups: &[(u32, u32)]) {
    if !groups.is_empty() {
        ndr.count(groups.len());
        for (rid, attributes) in groups {
            ndr.u32(*rid).u32(*attributes);
        }
    }
}

/// Writes what [`sids`] reads.
pub(super) fn write_sids(ndr: &mut NdrWriter, sids: &[(Sid, u32)]) {
    if !sids.is_empty() {
        ndr.count(sids.len());
        for (_, attributes) in sids {
            ndr.pointer(true).u32(*attributes);
        }
        for (sid, _) in sids {
            ndr.sid(sid);
        }
    }
}
