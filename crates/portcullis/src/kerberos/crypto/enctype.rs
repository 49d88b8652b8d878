use portcullis_wire::kerberos::etype;
use std::borrow::Cow;

/// An encryption type that this library has, by its number at IANA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Enctype {
    /// `aes128-cts-hmac-sha1-96` (RFC 3962).
    Aes128Sha1 = 17,
    /// `aes256-cts-hmac-sha1-96` (RFC 3962).
    Aes256Sha1 = 18,
    /// `aes128-cts-hmac-sha256-128` (RFC 8009).
    Aes128Sha256 = 19,
    /// `aes256-cts-hmac-sha384-192` (RFC 8009).
    Aes256Sha384 = 20,
    /// `rc4-hmac` (RFC 4757).
    Rc4 = 23,
    /// `camellia128-cts-cmac` (RFC 6803).
    Camellia128 = 25,
    /// `camellia256-cts-cmac` (RFC 6803).
    Camellia256 = 26,
}

/// What stands for each of them in the registries, and lengths in bytes.
struct Row {
    key_len: usize,
    confounder_len: usize,
    mac_len: usize,
    /// The checksum type that goes with the key (RFC 3961 §3, "required checksum mechanism").
    checksum_type: i32,
}

impl Enctype {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Aes128Sha1,
        Self::Aes256Sha1,
        Self::Aes128Sha256,
        Self::Aes256Sha384,
        Self::Rc4,
        Self::Camellia128,
        Self::Camellia256,
    ];

    /// The one of that number; `None` for one that the library does not have.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|enctype| enctype.number() == number)
    }

    /// Its number in messages.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// Its name at IANA.
    pub const fn name(self) -> &'static str {
        match etype::name(self.number()) {
            Some(name) => name,
            None => "", // each has one: the test says so
        }
    }

    /// How long its keys are, in bytes.
    pub const fn key_len(self) -> usize {
        self.row().key_len
    }

    /// How long a message's random prefix is, in bytes.
    pub const fn confounder_len(self) -> usize {
        self.row().confounder_len
    }

    /// How long its MACs and checksums are, in bytes.
    pub const fn mac_len(self) -> usize {
        self.row().mac_len
    }

    /// The number of the checksum type that its keys make.
    pub const fn checksum_type(self) -> i32 {
        self.row().checksum_type
    }

    /// Whether it is deprecated for its weakness (RFC 8429).
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::Rc4)
    }

    /// A name for the number in a log, also of those that the library does not have.
    pub fn name_of(number: i32) -> Cow<'static, str> {
        etype::name(number).map_or_else(|| format!("etype {number}").into(), Cow::Borrowed)
    }

    const fn row(self) -> Row {
        let (key_len, confounder_len, mac_len, checksum_type) = match self {
            Self::Aes128Sha1 => (16, 16, 12, 15),
            Self::Aes256Sha1 => (32, 16, 12, 16),
            Self::Aes128Sha256 => (16, 16, 16, 19),
            Self::Aes256Sha384 => (32, 16, 24, 20),
            Self::Rc4 => (16, 8, 16, -138),
            Self::Camellia128 => (16, 16, 16, 17),
            Self::Camellia256 => (32, 16, 16, 18),
        };
        Row { key_len, confounder_len, mac_len, checksum_type }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_registered_name() {
        for enctype in Enctype::ALL {
            assert_eq!(etype::name(enctype.number()), Some(enctype.name()));
            assert!(enctype.name().len() > 7);
        }
        assert_eq!((Enctype::name_of(23).as_ref(), Enctype::name_of(3).as_ref()), ("rc4-hmac", "des-cbc-md5"));
        assert_eq!(Enctype::name_of(-128), "etype -128");
    }
}
