use portcullis_wire::sid::{Sid, well_known};
use std::time::SystemTime;

/// An account as an authority describes it. A context reports this, never what the client claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account's security identifier; `None` for a Kerberos principal whose ticket says of no Windows account (a
    /// ticket of MIT's or Heimdal's KDC). It is known by its name alone, and has no [`AccessToken`].
    pub sid: Option<Sid>,
    /// The account's name (sAMAccountName), as stored; of a Kerberos principal without a SID all of it but the realm.
    pub name: String,
    /// The domain's NetBIOS name; of a Kerberos principal without a SID its realm.
    pub domain: String,
    /// The domain's DNS name; empty when it has none.
    pub dns_domain: String,
    /// The user principal name, where there is one.
    pub upn: Option<String>,
    /// The name for people, where there is one.
    pub display_name: Option<String>,
    /// The mail address, where there is one.
    pub mail: Option<String>,
    /// All groups that the account is in, nested ones resolved, primary group first.
    pub groups: Vec<Group>,
    /// When the account's logon hours end for this logon; `None` for never.
    pub logoff_at: Option<SystemTime>,
    /// When the password must be changed; `None` for never.
    pub password_expires_at: Option<SystemTime>,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The group's security identifier.
    pub sid: Sid,
    /// The group's name.
    pub name: String,
}

impl Account {
    /// `DOMAIN\name`, the form of SECPKG_ATTR_NAMES; the name alone of an account without a domain, and the principal
    /// `name@REALM` of one without a SID.
    pub fn qualified_name(&self) -> String {
        if let (None, Some(principal)) = (self.sid, &self.upn) {
            return principal.clone();
        }
        if self.domain.is_empty() { self.name.clone() } else { format!("{}\\{}", self.domain, self.name) }
    }
}

/// The account behind a context: what an access check needs.
///
/// ```
/// # use portcullis::{AccessToken, Level};
/// let token = AccessToken::anonymous(7);
/// assert_eq!(token.user.to_string(), "S-1-5-7");
/// assert_eq!(token.level, Level::Anonymous);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The account's SID.
    pub user: Sid,
    /// The SIDs of all groups, the well-known ones of a network logon with them.
    pub groups: Vec<Sid>,
    /// A number for this logon, unique while the process lives.
    pub logon_id: u64,
    /// How far the token may be used.
    pub level: Level,
}

/// How far a token may be used (SECURITY_IMPERSONATION_LEVEL).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nobody in particular.
    Anonymous,
    /// It may be asked who it is.
    Identify,
    /// A thread may act as the account on this machine.
    Impersonate,
}

impl AccessToken {
    /// The token of an account that logged on over the network; `None` for one without a SID. `by` is the SID of the
    /// package that did it, where it has one.
    pub fn of(account: &Account, by: Option<Sid>, logon_id: u64, level: Level) -> Option<Self> {
        let user = account.sid?;
        let well_known =
            [well_known::EVERYONE, well_known::NETWORK, well_known::AUTHENTICATED_USERS, well_known::THIS_ORGANIZATION];
        let mut groups: Vec<_> = account.groups.iter().map(|group| group.sid).collect();
        for sid in well_known.into_iter().chain(by) {
            if !groups.contains(&sid) {
                groups.push(sid);
            }
        }
        Some(Self { user, groups, logon_id, level })
    }

    /// The token of a null session.
    pub fn anonymous(logon_id: u64) -> Self {
        let groups = vec![well_known::EVERYONE, well_known::NETWORK];
        Self { user: well_known::ANONYMOUS, groups, logon_id, level: Level::Anonymous }
    }

    /// Whether the token is of this user or group.
    pub fn has(&self, sid: &Sid) -> bool {
        self.user == *sid || self.groups.contains(sid)
    }
}
