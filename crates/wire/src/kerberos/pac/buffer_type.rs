use std::fmt;

/// The type of a buffer (MS-PAC 2.4). Types without a name are kept and ignored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferType(pub u32);

/// Declares the types, one row each, and the table of their names.
macro_rules! types {
    ($($number:literal $constant:ident $name:literal)*) => {
        #[allow(missing_docs, reason = "the names are those of MS-PAC 2.4, one row each")]
        impl BufferType {
            $(pub const $constant: Self = Self($number);)*

            /// All types that have a name.
            pub const ALL: &'static [Self] = &[$(Self($number)),*];

            /// What it holds, as MS-PAC calls it; `None` for an unknown type.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

types! {
    0x01 LOGON_INFO "logon information"
    0x02 CREDENTIALS "credentials information"
    0x06 SERVER_SIGNATURE "server checksum"
    0x07 KDC_SIGNATURE "KDC checksum"
    0x0a CLIENT_INFO "client name and ticket information"
    0x0b DELEGATION "constrained delegation information"
    0x0c UPN_DNS_INFO "user principal name and DNS information"
    0x0d CLIENT_CLAIMS "client claims information"
    0x0e DEVICE_INFO "device information"
    0x0f DEVICE_CLAIMS "device claims information"
    0x10 TICKET_SIGNATURE "ticket checksum"
    0x11 ATTRIBUTES "PAC attributes"
    0x12 REQUESTER_SID "PAC requestor SID"
    0x13 FULL_SIGNATURE "extended KDC checksum"
    0x14 REQUESTER_GUID "PAC requestor GUID"
}

impl BufferType {
    /// Whether such a buffer is a PAC_SIGNATURE_DATA.
    pub const fn is_signature(self) -> bool {
        matches!(self, Self::SERVER_SIGNATURE | Self::KDC_SIGNATURE | Self::TICKET_SIGNATURE | Self::FULL_SIGNATURE)
    }
}

impl fmt::Display for BufferType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "PAC buffer of type {:#x}", self.0),
        }
    }
}

impl fmt::Debug for BufferType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({:#x})", self.0)
    }
}
