use super::membership::{self, Array};
use crate::Error;
use crate::ndr::NdrReader;
use crate::sid::Sid;

/// A PAC_DEVICE_INFO (MS-PAC 2.12): the computer that the client sat at, for compound authentication. It counts only
/// when the client's groups have COMPOUNDED_AUTHENTICATION, S-1-5-21-0-0-0-496.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceInfo {
    /// The computer's account, relative to `account_domain_sid`.
    pub user_id: u32,
    /// Relative to `account_domain_sid`.
    pub primary_group_id: u32,
    /// The computer's domain.
    pub account_domain_sid: Option<Sid>,
    /// Groups of its domain: relative ids and attributes.
    pub account_groups: Vec<(u32, u32)>,
    /// Other groups, with attributes.
    pub extra_sids: Vec<(Sid, u32)>,
    /// Groups of the service's domain.
    pub domain_groups: Vec<DomainGroups>,
}

/// A DOMAIN_GROUP_MEMBERSHIP (MS-PAC 2.2.3): groups of one domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainGroups {
    /// The domain.
    pub domain_sid: Option<Sid>,
    /// Relative ids and attributes.
    pub groups: Vec<(u32, u32)>,
}

impl DeviceInfo {
    /// Reads the buffer.
    ///
    /// # Errors
    /// [`Kind::Unexpected`](crate::Kind) where two counts of one thing differ, and as [`NdrReader`]'s.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let ndr = &mut NdrReader::open(bytes)?;
        let (user_id, primary_group_id) = (ndr.u32("UserId")?, ndr.u32("PrimaryGroupId")?);
        let account_domain_sid = ndr.pointer("AccountDomainId")?;
        let account_groups = Array::read(ndr, "AccountGroupIds")?;
        let extra_sids = Array::read(ndr, "ExtraSids")?;
        let domain_groups = Array::read(ndr, "DomainGroup")?;
        Ok(Self {
            user_id,
            primary_group_id,
            account_domain_sid: membership::sid(ndr, account_domain_sid, "AccountDomainId")?,
            account_groups: membership::groups(ndr, account_groups, "AccountGroupIds")?,
            extra_sids: membership::sids(ndr, extra_sids, "ExtraSids")?,
            domain_groups: read_domains(ndr, domain_groups)?,
        })
    }
}

fn read_domains(ndr: &mut NdrReader<'_>, array: Array) -> Result<Vec<DomainGroups>, Error> {
    let count = array.begin(ndr, DOMAIN_GROUPS, "DomainGroup")?;
    let mut pointers = Vec::with_capacity(count);
    for _ in 0..count {
        pointers.push((ndr.pointer("DomainId")?, Array::read(ndr, "GroupIds")?));
    }
    let read = |(domain_sid, groups)| {
        let domain_sid = membership::sid(ndr, domain_sid, "DomainId")?;
        Ok(DomainGroups { domain_sid, groups: membership::groups(ndr, groups, "GroupIds")? })
    };
    pointers.into_iter().map(read).collect()
}

/// Length of a DOMAIN_GROUP_MEMBERSHIP in its array: two pointers and a count.
const DOMAIN_GROUPS: usize = 12;
