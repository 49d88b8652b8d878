use crate::{LogonHours, PasswordPolicy, Sealed};
use portcullis::Sid;
use std::time::SystemTime;

/// An account as a store keeps it, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountEntry {
    /// The relative id: with the domain's SID it makes the account's.
    pub rid: u32,
    /// The account's security identifier.
    pub sid: Sid,
    /// The account's name (sAMAccountName), unique in the domain without regard to case.
    pub name: String,
    /// The user principal name, unique likewise, where there is one.
    pub upn: Option<String>,
    /// The name for people, where there is one.
    pub display_name: Option<String>,
    /// The mail address, where there is one.
    pub mail: Option<String>,
    /// Nobody may log on with it.
    pub disabled: bool,
    /// The password must be changed before the first logon.
    pub must_change: bool,
    /// The policy's age does not count for its password.
    pub password_never_expires: bool,
    /// When the account ends; `None` for never.
    pub expires: Option<SystemTime>,
    /// When it may log on.
    pub hours: LogonHours,
    /// The computers that it may log on from; empty for any.
    pub workstations: Vec<String>,
    /// When its password was set; `None` when it has none.
    pub password_set: Option<SystemTime>,
    /// Its last logon, to the hour; `None` before the first.
    pub last_logon: Option<SystemTime>,
    /// When it was made.
    pub created: SystemTime,
}

impl AccountEntry {
    /// When its password must be changed by the domain's rules; `None` for never.
    pub fn password_expires_at(&self, policy: &PasswordPolicy) -> Option<SystemTime> {
        let set = self.password_set.filter(|_| !self.password_never_expires)?;
        set.checked_add(policy.max_age?)
    }
}

/// A change to an account: what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountEdit {
    /// The new user principal name; `Some(None)` removes it.
    pub upn: Option<Option<String>>,
    /// The new name for people; `Some(None)` removes it.
    pub display_name: Option<Option<String>>,
    /// The new mail address; `Some(None)` removes it.
    pub mail: Option<Option<String>>,
    /// Whether nobody may log on with it.
    pub disabled: Option<bool>,
    /// Whether the password must be changed before the first logon.
    pub must_change: Option<bool>,
    /// Whether the policy's age does not count for its password.
    pub password_never_expires: Option<bool>,
    /// When the account ends; `Some(None)` for never.
    pub expires: Option<Option<SystemTime>>,
    /// When it may log on.
    pub hours: Option<LogonHours>,
    /// The computers that it may log on from; empty for any.
    pub workstations: Option<Vec<String>>,
}

impl AccountEdit {
    /// Carries the change out on `account`.
    pub fn apply(self, account: &mut AccountEntry) {
        let Self {
            upn,
            display_name,
            mail,
            disabled,
            must_change,
            password_never_expires,
            expires,
            hours,
            workstations,
        } = self;
        replace(&mut account.upn, upn);
        replace(&mut account.display_name, display_name);
        replace(&mut account.mail, mail);
        replace(&mut account.disabled, disabled);
        replace(&mut account.must_change, must_change);
        replace(&mut account.password_never_expires, password_never_expires);
        replace(&mut account.expires, expires);
        replace(&mut account.hours, hours);
        replace(&mut account.workstations, workstations);
    }
}

fn replace<T>(old: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *old = new;
    }
}

/// An account to be put into a store.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// The account; its RID comes from [`Store::reserve_rids`](crate::Store::reserve_rids).
    pub account: AccountEntry,
    /// Its secret; `None` for an account that nobody can log on with yet.
    pub sealed: Option<Sealed>,
    /// The RIDs of the groups that it is to be in.
    pub groups: Vec<u32>,
}

/// A group as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupEntry {
    /// The relative id.
    pub rid: u32,
    /// The group's security identifier.
    pub sid: Sid,
    /// The group's name, unique in the domain without regard to case, also among accounts.
    pub name: String,
    /// What it is for; empty when nobody said.
    pub description: String,
}

impl GroupEntry {
    /// The RID of Domain Users, the primary group that every account is in (MS-DTYP 2.4.2.4).
    pub const DOMAIN_USERS: u32 = 513;

    /// The first RID for what an administrator makes.
    pub(crate) const FIRST_RID: u32 = 1000;

    /// Domain Users of a domain; `None` when its SID is full.
    pub(crate) fn domain_users(domain: &Sid) -> Option<Self> {
        let (rid, description) = (Self::DOMAIN_USERS, "Every account of the domain".into());
        Some(Self { rid, sid: domain.child(rid)?, name: "Domain Users".into(), description })
    }
}

/// One member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The member's relative id.
    pub rid: u32,
    /// The member's name.
    pub name: String,
    /// Whether it is a group itself.
    pub is_group: bool,
}
