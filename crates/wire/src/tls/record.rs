use crate::{Error, Kind, Reader};

/// The most bytes of plaintext that a record may carry (RFC 8446 §5.1).
pub const MAX_PLAINTEXT: usize = 1 << 14;

/// The most bytes that a record's length may say: TLS 1.2 allows 2048 for protection (RFC 5246 §6.2.3), TLS 1.3 fewer.
pub const MAX_CIPHERTEXT: usize = MAX_PLAINTEXT + 2048;

/// What a record carries (RFC 8446 §5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentType(pub u8);

impl ContentType {
    /// change_cipher_spec.
    pub const CHANGE_CIPHER_SPEC: Self = Self(20);
    /// alert.
    pub const ALERT: Self = Self(21);
    /// handshake.
    pub const HANDSHAKE: Self = Self(22);
    /// application_data; in TLS 1.3 every protected record.
    pub const APPLICATION_DATA: Self = Self(23);

    const fn is_known(self) -> bool {
        matches!(self.0, 20..=23)
    }
}

/// The five bytes before a record's fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordHeader {
    /// What it carries.
    pub content: ContentType,
    /// legacy_record_version; 3.0 to 3.4.
    pub version: u16,
    /// Bytes of the fragment.
    pub len: usize,
}

impl RecordHeader {
    /// Bytes of a header.
    pub const LEN: usize = 5;

    /// Bytes of the whole record.
    pub const fn record_len(&self) -> usize {
        Self::LEN + self.len
    }
}

/// What stands at the front of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split<'a> {
    /// A whole record, header and fragment.
    Whole(RecordHeader, &'a [u8]),
    /// The front of one; so many bytes are missing at least.
    Partial {
        /// Bytes that are missing, at least; never zero.
        missing: usize,
    },
}

/// Looks at the front of a stream. Nothing is promised of the fragment, but a header that no record of TLS 1.2 or 1.3
/// can have is an error at once, before anyone waits for the bytes that it announces.
///
/// # Errors
/// [`Kind::Unexpected`] for a type or version that is not TLS, [`Kind::TooLarge`] for a length beyond
/// [`MAX_CIPHERTEXT`].
pub fn first(bytes: &[u8]) -> Result<Split<'_>, Error> {
    let mut reader = Reader::new(bytes);
    let Ok(content) = reader.u8("type").map(ContentType) else {
        return Ok(Split::Partial { missing: RecordHeader::LEN });
    };
    if !content.is_known() {
        return Err(Error::new(0, "type", Kind::Unexpected));
    }
    match reader.u8("legacy_record_version") {
        Ok(3) | Err(_) => {}
        Ok(_) => return Err(Error::new(1, "legacy_record_version", Kind::Unexpected)),
    }
    let Some(&[_, major, minor, high, low]) = bytes.first_chunk::<{ RecordHeader::LEN }>() else {
        return Ok(Split::Partial { missing: RecordHeader::LEN.saturating_sub(bytes.len()) });
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if len > MAX_CIPHERTEXT {
        return Err(Error::new(3, "length", Kind::TooLarge));
    }
    let header = RecordHeader { content, version: u16::from_be_bytes([major, minor]), len };
    Ok(match bytes.get(..header.record_len()) {
        Some(record) => Split::Whole(header, record),
        None => Split::Partial { missing: header.record_len().saturating_sub(bytes.len()) },
    })
}

/// What else than TLS comes to a TLS port, to be told by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// A request of HTTP.
    Http,
    /// A datagram of DTLS.
    Dtls,
    /// The hello of SSL 2.
    Ssl2,
}

/// What a request of HTTP begins with.
const METHODS: [&[u8]; 10] =
    [b"GET ", b"POST ", b"HEAD ", b"PUT ", b"DELETE ", b"OPTIONS ", b"CONNECT ", b"TRACE ", b"PATCH ", b"PRI * "];

/// From so many bytes on a method's front is told from noise.
const TOLD: usize = 3;

impl Foreign {
    /// Whether the first bytes of a connection may become a request of HTTP and are too few to say: how many are missing.
    pub fn undecided(bytes: &[u8]) -> Option<usize> {
        let may_be = |method: &&[u8]| method.starts_with(bytes);
        (!bytes.is_empty() && METHODS.iter().any(may_be))
            .then(|| TOLD.checked_sub(bytes.len()))
            .flatten()
            .filter(|n| *n > 0)
    }

    /// What the first bytes of a connection look like, where they are no record of TLS.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let is_method = |method: &&[u8]| {
            let seen = bytes.len().min(method.len());
            seen >= TOLD && bytes.get(..seen) == method.get(..seen)
        };
        match *bytes {
            _ if METHODS.iter().any(is_method) => Some(Self::Http),
            // DTLS writes its versions downwards from 254.255 (RFC 6347 §4.1).
            [20..=23, 0xfe, ..] => Some(Self::Dtls),
            // Two bytes of length with the top bit set, then CLIENT-HELLO (RFC 5246 Appendix E.2).
            [high, _, 1, ..] if high & 0x80 != 0 => Some(Self::Ssl2),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_split_off_at_its_length() {
        let stream = [22, 3, 1, 0, 3, b'a', b'b', b'c', 23, 3, 3];
        for len in 0..8 {
            let missing = if len < 5 { 5 - len } else { 8 - len };
            assert_eq!(first(&stream[..len]).unwrap(), Split::Partial { missing }, "{len}");
        }
        let Split::Whole(header, record) = first(&stream).unwrap() else { panic!() };
        assert_eq!((header.content, header.version, record), (ContentType::HANDSHAKE, 0x0301, &stream[..8]));
        assert_eq!(first(&stream[8..]).unwrap(), Split::Partial { missing: 2 });
    }

    #[test]
    fn what_no_record_can_be_is_refused_at_once() {
        for (bytes, field) in [
            (&[24][..], "type"),
            (b"GET / HTTP/1.1\r\n", "type"),
            (&[22, 2], "legacy_record_version"),
            (&[22, 254, 253, 0, 0], "legacy_record_version"),
            (&[23, 3, 3, 0x48, 0x01], "length"),
            (&[23, 3, 3, 0xff, 0xff], "length"),
        ] {
            assert_eq!(first(bytes).unwrap_err().field, field, "{bytes:?}");
        }
        assert!(matches!(first(&[23, 3, 3, 0x48, 0]), Ok(Split::Partial { missing: 0x4800 })));
    }

    #[test]
    fn strangers_are_known_by_their_first_bytes() {
        for (bytes, foreign) in [
            (&b"GET / HTTP/1.1\r\n"[..], Some(Foreign::Http)),
            (b"GET", Some(Foreign::Http)),
            (b"PRI * HTTP/2.0\r\n", Some(Foreign::Http)),
            (b"SSH-2.0-x", None),
            (b"", None),
            (b"GE", None),
            (&[22, 0xfe, 0xfd, 0, 0], Some(Foreign::Dtls)),
            (&[0x80, 0x2e, 1, 3, 1], Some(Foreign::Ssl2)),
            (&[22, 3, 1, 0, 5], None),
        ] {
            assert_eq!(Foreign::of(bytes), foreign, "{bytes:?}");
        }
        for (bytes, missing) in [(&b"G"[..], Some(2)), (b"PA", Some(1)), (b"GET", None), (b"X", None), (b"", None)] {
            assert_eq!(Foreign::undecided(bytes), missing, "{bytes:?}");
        }
    }
}
