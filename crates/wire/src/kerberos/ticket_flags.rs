use core::fmt;
use core::ops::BitOr;

/// TicketFlags (RFC 4120 §5.3): bit 0 of the document is the most significant. Bits without a name are kept.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct TicketFlags(pub u32);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $text:literal;)*) => {
        impl TicketFlags {
            $($(#[$doc])* pub const $name: Self = Self(0x8000_0000 >> $bit);)*
            /// Every flag that has a name, with the name that its document gives it.
            pub const TABLE: &'static [(Self, &'static str)] = &[$((Self::$name, $text),)*];
        }
    };
}

flags! {
    /// A ticket-granting ticket for another address may be had for it.
    FORWARDABLE = 1, "forwardable";
    /// It was forwarded, or issued by such a one.
    FORWARDED = 2, "forwarded";
    /// A ticket for another address may be had for it.
    PROXIABLE = 3, "proxiable";
    /// It is a proxy.
    PROXY = 4, "proxy";
    /// It may be postdated.
    MAY_POSTDATE = 5, "may-postdate";
    /// It was postdated.
    POSTDATED = 6, "postdated";
    /// The issuer must validate it first; a service refuses it.
    INVALID = 7, "invalid";
    /// It may be renewed.
    RENEWABLE = 8, "renewable";
    /// It was issued against the client's own key, not for another ticket.
    INITIAL = 9, "initial";
    /// The client proved itself before it was issued.
    PRE_AUTHENT = 10, "pre-authent";
    /// With hardware.
    HW_AUTHENT = 11, "hw-authent";
    /// The issuer has checked the realms in between.
    TRANSITED_POLICY_CHECKED = 12, "transited-policy-checked";
    /// The service may be trusted with the user's identity.
    OK_AS_DELEGATE = 13, "ok-as-delegate";
    /// The encrypted part of the reply had pre-authentication data (RFC 6806 §11).
    ENC_PA_REP = 15, "enc-pa-rep";
    /// The client is anonymous (RFC 8062 §3).
    ANONYMOUS = 16, "anonymous";
}

impl TicketFlags {
    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of the flags that are set and have one.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::TABLE.iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| *name)
    }
}

impl BitOr for TicketFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for TicketFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)?;
        self.names().try_for_each(|name| write!(f, " {name}"))
    }
}
