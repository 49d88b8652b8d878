//! The catalogue of sub-statuses: the finer reason for the log.

use std::fmt;

/// An NTSTATUS: the finer reason that a Windows host writes to its log (MS-ERREF 2.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Substatus(pub u32);

/// One row of the catalogue of sub-statuses.
#[derive(Debug, Clone, Copy)]
pub struct SubstatusRow {
    /// The NTSTATUS.
    pub substatus: Substatus,
    /// Its name in `ntstatus.h`, without `STATUS_`.
    pub name: &'static str,
    /// The Win32 error that says the same; an LDAP bind shows it in hexadecimal behind `data`.
    pub win32: u32,
}

macro_rules! substatuses {
    ($($name:ident = $value:literal, $win32:literal;)*) => {
        #[allow(missing_docs, reason = "the names are those of MS-ERREF 2.3")]
        impl Substatus {
            $(pub const $name: Self = Self($value);)*
        }

        /// Every sub-status that this library gives, one row each.
        pub const TABLE: &[SubstatusRow] = &[$(SubstatusRow {
            substatus: Substatus::$name,
            name: stringify!($name),
            win32: $win32,
        },)*];
    };
}

substatuses! {
    SUCCESS = 0x0000_0000, 0;
    INVALID_PARAMETER = 0xC000_000D, 87;
    NO_LOGON_SERVERS = 0xC000_005E, 1311;
    NO_SUCH_DOMAIN = 0xC000_00DF, 1355;
    NO_SUCH_USER = 0xC000_0064, 1317;
    WRONG_PASSWORD = 0xC000_006A, 1323;
    LOGON_FAILURE = 0xC000_006D, 1326;
    ACCOUNT_RESTRICTION = 0xC000_006E, 1327;
    INVALID_LOGON_HOURS = 0xC000_006F, 1328;
    INVALID_WORKSTATION = 0xC000_0070, 1329;
    PASSWORD_EXPIRED = 0xC000_0071, 1330;
    ACCOUNT_DISABLED = 0xC000_0072, 1331;
    INSUFFICIENT_RESOURCES = 0xC000_009A, 1450;
    NOT_SUPPORTED = 0xC000_00BB, 50;
    INTERNAL_ERROR = 0xC000_00E5, 1359;
    ACCOUNT_EXPIRED = 0xC000_0193, 1793;
    TIME_DIFFERENCE_AT_DC = 0xC000_0133, 1398;
    TRUSTED_DOMAIN_FAILURE = 0xC000_018C, 1788;
    PASSWORD_MUST_CHANGE = 0xC000_0224, 1907;
    ACCOUNT_LOCKED_OUT = 0xC000_0234, 1909;
    BAD_BINDINGS = 0xC000_035B, 1326;
    NTLM_BLOCKED = 0xC000_0418, 1937;
}

impl Substatus {
    /// The sub-status' row, or `None` for one that this library does not give.
    pub fn row(self) -> Option<&'static SubstatusRow> {
        TABLE.iter().find(|row| row.substatus == self)
    }
}

impl fmt::Display for Substatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row() {
            Some(row) => write!(f, "STATUS_{} ({:#010x})", row.name, self.0),
            None => write!(f, "{:#010x}", self.0),
        }
    }
}

impl fmt::Debug for Substatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
