use super::membership::{self, Array, GroupAttributes};
use crate::Error;
use crate::ndr::{NdrReader, NdrWriter};
use crate::sid::Sid;

/// A KERB_VALIDATION_INFO (MS-PAC 2.5): what the domain knows of the account. Times are FILETIMEs, groups are relative
/// ids or SIDs with their attributes ([`GroupAttributes`]).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the fields are those of MS-PAC 2.5, one row each")]
pub struct LogonInfo {
    pub logon_time: u64,
    pub logoff_time: u64,
    pub kick_off_time: u64,
    pub password_last_set: u64,
    pub password_can_change: u64,
    pub password_must_change: u64,
    /// The account's name in the domain (sAMAccountName).
    pub effective_name: String,
    pub full_name: String,
    pub logon_script: String,
    pub profile_path: String,
    pub home_directory: String,
    pub home_directory_drive: String,
    pub logon_count: u16,
    pub bad_password_count: u16,
    /// The account, relative to `logon_domain_sid`; zero when the account's SID is the first of `extra_sids`.
    pub user_id: u32,
    /// Relative to `logon_domain_sid`.
    pub primary_group_id: u32,
    /// Relative to `logon_domain_sid`.
    pub groups: Vec<(u32, u32)>,
    /// [`Self::EXTRA_SIDS`], [`Self::RESOURCE_GROUPS`] and others.
    pub user_flags: u32,
    /// Zero in tickets: only NTLM has such a key.
    pub user_session_key: [u8; 16],
    pub logon_server: String,
    /// The domain's NetBIOS name.
    pub logon_domain_name: String,
    pub logon_domain_sid: Option<Sid>,
    pub user_account_control: u32,
    pub sub_auth_status: u32,
    pub last_successful_logon: u64,
    pub last_failed_logon: u64,
    pub failed_logon_count: u32,
    pub extra_sids: Vec<(Sid, u32)>,
    pub resource_group_domain_sid: Option<Sid>,
    /// Relative to `resource_group_domain_sid`.
    pub resource_groups: Vec<(u32, u32)>,
}

impl LogonInfo {
    /// In `user_flags`: `extra_sids` count.
    pub const EXTRA_SIDS: u32 = 0x20;
    /// In `user_flags`: `resource_groups` count.
    pub const RESOURCE_GROUPS: u32 = 0x200;

    /// Reads the buffer.
    ///
    /// # Errors
    /// [`Kind::Unexpected`](crate::Kind) where two counts of one thing differ, or something that must be there is not;
    /// and as [`NdrReader`]'s.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let ndr = &mut NdrReader::open(bytes)?;
        let mut read = Self {
            logon_time: ndr.filetime("LogonTime")?,
            logoff_time: ndr.filetime("LogoffTime")?,
            kick_off_time: ndr.filetime("KickOffTime")?,
            password_last_set: ndr.filetime("PasswordLastSet")?,
            password_can_change: ndr.filetime("PasswordCanChange")?,
            password_must_change: ndr.filetime("PasswordMustChange")?,
            ..Self::default()
        };
        let effective_name = ndr.text_header("EffectiveName")?;
        let full_name = ndr.text_header("FullName")?;
        let logon_script = ndr.text_header("LogonScript")?;
        let profile_path = ndr.text_header("ProfilePath")?;
        let home_directory = ndr.text_header("HomeDirectory")?;
        let home_directory_drive = ndr.text_header("HomeDirectoryDrive")?;
        read.logon_count = ndr.u16("LogonCount")?;
        read.bad_password_count = ndr.u16("BadPasswordCount")?;
        read.user_id = ndr.u32("UserId")?;
        read.primary_group_id = ndr.u32("PrimaryGroupId")?;
        let groups = Array::read(ndr, "GroupIds")?;
        read.user_flags = ndr.u32("UserFlags")?;
        read.user_session_key = ndr.array("UserSessionKey")?;
        let logon_server = ndr.text_header("LogonServer")?;
        let logon_domain_name = ndr.text_header("LogonDomainName")?;
        let logon_domain_sid = ndr.pointer("LogonDomainId")?;
        ndr.bytes(8, "Reserved1")?;
        read.user_account_control = ndr.u32("UserAccountControl")?;
        read.sub_auth_status = ndr.u32("SubAuthStatus")?;
        read.last_successful_logon = ndr.filetime("LastSuccessfulILogon")?;
        read.last_failed_logon = ndr.filetime("LastFailedILogon")?;
        read.failed_logon_count = ndr.u32("FailedILogonCount")?;
        ndr.u32("Reserved3")?;
        let extra_sids = Array::read(ndr, "ExtraSids")?;
        let resource_group_domain_sid = ndr.pointer("ResourceGroupDomainSid")?;
        let resource_groups = Array::read(ndr, "ResourceGroupIds")?;

        read.effective_name = ndr.text(effective_name, "EffectiveName")?;
        read.full_name = ndr.text(full_name, "FullName")?;
        read.logon_script = ndr.text(logon_script, "LogonScript")?;
        read.profile_path = ndr.text(profile_path, "ProfilePath")?;
        read.home_directory = ndr.text(home_directory, "HomeDirectory")?;
        read.home_directory_drive = ndr.text(home_directory_drive, "HomeDirectoryDrive")?;
        read.groups = membership::groups(ndr, groups, "GroupIds")?;
        read.logon_server = ndr.text(logon_server, "LogonServer")?;
        read.logon_domain_name = ndr.text(logon_domain_name, "LogonDomainName")?;
        read.logon_domain_sid = membership::sid(ndr, logon_domain_sid, "LogonDomainId")?;
        read.extra_sids = membership::sids(ndr, extra_sids, "ExtraSids")?;
        read.resource_group_domain_sid = membership::sid(ndr, resource_group_domain_sid, "ResourceGroupDomainSid")?;
        read.resource_groups = membership::groups(ndr, resource_groups, "ResourceGroupIds")?;
        Ok(read)
    }

    /// Appends the buffer.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut ndr = NdrWriter::new();
        ndr.filetime(self.logon_time).filetime(self.logoff_time).filetime(self.kick_off_time);
        ndr.filetime(self.password_last_set).filetime(self.password_can_change).filetime(self.password_must_change);
        let texts = [
            &self.effective_name,
            &self.full_name,
            &self.logon_script,
            &self.profile_path,
            &self.home_directory,
            &self.home_directory_drive,
        ];
        for text in texts {
            ndr.text_header(text);
        }
        ndr.u16(self.logon_count).u16(self.bad_password_count).u32(self.user_id).u32(self.primary_group_id);
        ndr.count(self.groups.len()).pointer(!self.groups.is_empty()).u32(self.user_flags);
        ndr.bytes(&self.user_session_key).text_header(&self.logon_server).text_header(&self.logon_domain_name);
        ndr.pointer(self.logon_domain_sid.is_some()).bytes(&[0; 8]);
        ndr.u32(self.user_account_control).u32(self.sub_auth_status);
        ndr.filetime(self.last_successful_logon).filetime(self.last_failed_logon).u32(self.failed_logon_count).u32(0);
        ndr.count(self.extra_sids.len()).pointer(!self.extra_sids.is_empty());
        ndr.pointer(self.resource_group_domain_sid.is_some());
        ndr.count(self.resource_groups.len()).pointer(!self.resource_groups.is_empty());

        for text in texts {
            ndr.text(text);
        }
        membership::write_groups(&mut ndr, &self.groups);
        ndr.text(&self.logon_server).text(&self.logon_domain_name);
        membership::write_sid(&mut ndr, self.logon_domain_sid);
        membership::write_sids(&mut ndr, &self.extra_sids);
        membership::write_sid(&mut ndr, self.resource_group_domain_sid);
        membership::write_groups(&mut ndr, &self.resource_groups);
        ndr.finish(out);
    }

    /// The account's SID; `None` when the domain's is not there, and no extra SID stands for it.
    pub fn user_sid(&self) -> Option<Sid> {
        if self.user_id == 0 {
            return self.counted_extra_sids().first().map(|(sid, _)| *sid);
        }
        self.logon_domain_sid?.child(self.user_id)
    }

    /// All groups with their attributes, in the order of the structure, without the primary group: also those that only
    /// deny. Extra SIDs and resource groups are among them only when `user_flags` say so.
    pub fn memberships(&self) -> impl Iterator<Item = (Sid, GroupAttributes)> + '_ {
        let in_domain = |domain: Option<Sid>, rid: u32| domain?.child(rid);
        let groups = self
            .groups
            .iter()
            .filter_map(move |&(rid, attributes)| Some((in_domain(self.logon_domain_sid, rid)?, attributes)));
        // Without a relative id the first extra SID is the account itself.
        let extra = self.counted_extra_sids().iter().skip(usize::from(self.user_id == 0)).copied();
        let counted = self.user_flags & Self::RESOURCE_GROUPS != 0;
        let resource =
            self.resource_groups.iter().filter(move |_| counted).filter_map(move |&(rid, attributes)| {
                Some((in_domain(self.resource_group_domain_sid, rid)?, attributes))
            });
        groups.chain(extra).chain(resource).map(|(sid, attributes)| (sid, GroupAttributes(attributes)))
    }

    /// The SIDs that may be granted something: the account's, the primary group's, then the other groups that
    /// [grant](GroupAttributes::grants).
    ///
    /// Windows takes all groups into the token with their attributes, and heeds these at each access check. A list
    /// without attributes can only name those that give: groups that are not enabled or are for denying only are left
    /// out, and are to be had from [`Self::memberships`].
    pub fn sids(&self) -> Vec<Sid> {
        let primary = self.logon_domain_sid.filter(|_| self.primary_group_id != 0);
        let primary = primary.and_then(|domain| domain.child(self.primary_group_id));
        // The primary group has no attributes of its own, but usually stands among the groups as well.
        let withheld = self
            .groups
            .iter()
            .any(|&(rid, attributes)| rid == self.primary_group_id && !GroupAttributes(attributes).grants());
        let most = 2 + self.groups.len() + self.extra_sids.len() + self.resource_groups.len();
        let mut sids = Vec::with_capacity(most);
        sids.extend(self.user_sid());
        sids.extend(primary.filter(|_| !withheld));
        self.memberships().for_each(|(sid, attributes)| {
            if attributes.grants() && Some(sid) != primary {
                sids.push(sid);
            }
        });
        sids
    }

    fn counted_extra_sids(&self) -> &[(Sid, u32)] {
        if self.user_flags & Self::EXTRA_SIDS == 0 { &[] } else { &self.extra_sids }
    }
}
