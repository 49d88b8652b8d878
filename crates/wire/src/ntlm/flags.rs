use core::fmt;
use core::ops::{BitAnd, BitOr, BitOrAssign, Not};

/// NegotiateFlags (MS-NLMP 2.2.2.5). Bits without a name are kept as they came.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Flags(pub u32);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        impl Flags {
            $($(#[$doc])* pub const $name: Self = Self($value);)*
            /// Every flag that has a name, with its name.
            pub const NAMED: &'static [(Self, &'static str)] = &[$((Self::$name, stringify!($name)),)*];
        }
    };
}

flags! {
    /// Text is UTF-16LE.
    UNICODE = 0x0000_0001;
    /// Text is in the OEM code page.
    OEM = 0x0000_0002;
    /// The client wants TargetName in the CHALLENGE.
    REQUEST_TARGET = 0x0000_0004;
    /// Messages will be signed.
    SIGN = 0x0000_0010;
    /// Messages will be sealed.
    SEAL = 0x0000_0020;
    /// Connectionless mode.
    DATAGRAM = 0x0000_0040;
    /// LAN Manager session key; excluded by extended session security.
    LM_KEY = 0x0000_0080;
    /// NTLM itself; always set.
    NTLM = 0x0000_0200;
    /// The client means to be anonymous; the empty fields decide, not this bit.
    ANONYMOUS = 0x0000_0800;
    /// NEGOTIATE carries a domain name.
    OEM_DOMAIN_SUPPLIED = 0x0000_1000;
    /// NEGOTIATE carries a workstation name.
    OEM_WORKSTATION_SUPPLIED = 0x0000_2000;
    /// A dummy signature at least; overridden by SIGN and SEAL.
    ALWAYS_SIGN = 0x0000_8000;
    /// TargetName is a domain.
    TARGET_TYPE_DOMAIN = 0x0001_0000;
    /// TargetName is a server.
    TARGET_TYPE_SERVER = 0x0002_0000;
    /// Extended session security, also called NTLM2.
    EXTENDED_SESSION_SECURITY = 0x0008_0000;
    /// The client wants a token that can only be asked who it is.
    IDENTIFY = 0x0010_0000;
    /// The session key comes from the LM one-way function.
    REQUEST_NON_NT_SESSION_KEY = 0x0040_0000;
    /// CHALLENGE carries TargetInfo.
    TARGET_INFO = 0x0080_0000;
    /// A VERSION field is filled.
    VERSION = 0x0200_0000;
    /// 128-bit keys.
    KEY_128 = 0x2000_0000;
    /// The session key is chosen by the client and sent under the key-exchange key.
    KEY_EXCHANGE = 0x4000_0000;
    /// 56-bit keys.
    KEY_56 = 0x8000_0000;
}

impl Flags {
    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any bit of `other` is set.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// `self` with `other` set where `yes`.
    #[must_use]
    pub const fn with(self, other: Self, yes: bool) -> Self {
        if yes { Self(self.0 | other.0) } else { Self(self.0 & !other.0) }
    }
}

impl BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Flags {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for Flags {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)?;
        let mut known = 0;
        for (flag, name) in Self::NAMED.iter().filter(|(flag, _)| self.contains(*flag)) {
            known |= flag.0;
            write!(f, " {name}")?;
        }
        if self.0 & !known != 0 {
            write!(f, " +{:#x}", self.0 & !known)?;
        }
        Ok(())
    }
}
