use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign};

/// Context flags of the acceptor: `ASC_REQ_*` in a request, `ASC_RET_*` in what was granted. Bits without a name are
/// kept as they came.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct ContextFlags(pub u32);

macro_rules! context_flags {
    ($($name:ident = $value:literal, $meaning:literal;)*) => {
        impl ContextFlags {
            $(#[doc = $meaning] pub const $name: Self = Self($value);)*
            /// Every flag that has a name: the bit, the name, what it means.
            pub const TABLE: &'static [(Self, &'static str, &'static str)] =
                &[$((Self::$name, stringify!($name), $meaning),)*];
        }
    };
}

context_flags! {
    DELEGATE = 0x0000_0001, "the server may act as the client";
    MUTUAL_AUTH = 0x0000_0002, "the server proves itself too";
    REPLAY_DETECT = 0x0000_0004, "messages that come twice are noticed";
    SEQUENCE_DETECT = 0x0000_0008, "messages out of turn are noticed";
    CONFIDENTIALITY = 0x0000_0010, "messages can be sealed";
    USE_SESSION_KEY = 0x0000_0020, "user-to-user";
    ALLOCATE_MEMORY = 0x0000_0100, "the package allocates output";
    USE_DCE_STYLE = 0x0000_0200, "three legs, and messages laid out as DCE/RPC does";
    DATAGRAM = 0x0000_0400, "connectionless";
    CONNECTION = 0x0000_0800, "connection-oriented";
    EXTENDED_ERROR = 0x0000_8000, "errors are told to the peer in a token";
    STREAM = 0x0001_0000, "stream-oriented";
    INTEGRITY = 0x0002_0000, "messages can be signed";
    IDENTIFY = 0x0008_0000, "the token may only be asked who it is";
    NULL_SESSION = 0x0010_0000, "requested: anonymous clients are allowed; granted: the client is anonymous";
    ALLOW_NON_USER_LOGONS = 0x0020_0000, "accounts of computers may log on";
    FRAGMENT_TO_FIT = 0x0080_0000, "a token that does not fit is given in pieces";
    NO_TOKEN = 0x0100_0000, "no access token is built";
    PROXY_BINDINGS = 0x0400_0000, "the client must be bound to some channel, of a proxy's";
    ALLOW_MISSING_BINDINGS = 0x1000_0000, "clients that know no channel bindings are let in";
}

impl ContextFlags {
    /// No flag.
    pub const NONE: Self = Self(0);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// `self`, with `other` added where `yes`.
    #[must_use]
    pub const fn with(self, other: Self, yes: bool) -> Self {
        if yes { Self(self.0 | other.0) } else { self }
    }

    /// The names of the set flags that have one.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::TABLE.iter().filter(move |(flag, _, _)| self.contains(*flag)).map(|(_, name, _)| *name)
    }
}

impl BitOr for ContextFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for ContextFlags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for ContextFlags {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl fmt::Debug for ContextFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)?;
        self.names().try_for_each(|name| write!(f, " {name}"))
    }
}
