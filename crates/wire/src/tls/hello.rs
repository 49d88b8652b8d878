use crate::{Error, Kind, Reader};

/// A message of the handshake protocol, whichever (RFC 8446 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handshake<'a> {
    /// msg_type.
    pub kind: u8,
    /// What follows its length.
    pub body: &'a [u8],
}

impl Handshake<'_> {
    /// client_hello.
    pub const CLIENT_HELLO: u8 = 1;
    /// server_hello; hello_retry_request too.
    pub const SERVER_HELLO: u8 = 2;
}

/// Numbers of extensions (RFC 8446 §4.2).
pub mod extension {
    /// application_layer_protocol_negotiation (RFC 7301).
    pub const ALPN: u16 = 16;
    /// extended_master_secret (RFC 7627).
    pub const EXTENDED_MASTER_SECRET: u16 = 23;
    /// supported_versions.
    pub const SUPPORTED_VERSIONS: u16 = 43;
}

/// The first whole handshake message of `bytes`, which is the handshake protocol's stream without record headers;
/// `None` when it is not all there.
pub fn find_handshake(bytes: &[u8]) -> Option<Handshake<'_>> {
    let (&[kind, a, b, c], rest) = bytes.split_first_chunk()?;
    let len = usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()?;
    Some(Handshake { kind, body: rest.get(..len)? })
}

/// What ClientHello and ServerHello have in common, and say in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello<'a> {
    /// legacy_version.
    pub version: u16,
    /// legacy_session_id, or its echo.
    pub session_id: &'a [u8],
    extensions: &'a [u8],
}

impl<'a> Hello<'a> {
    /// Decodes the body of a ClientHello.
    ///
    /// # Errors
    /// With the offset and field that is cut short.
    pub fn client(body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(body);
        let (version, session_id) = front(&mut reader)?;
        let suites = be16(&mut reader, "cipher_suites")?;
        reader.take(suites, "cipher_suites")?;
        let compression = reader.u8("legacy_compression_methods")?;
        reader.take(usize::from(compression), "legacy_compression_methods")?;
        Ok(Self { version, session_id, extensions: extensions(&mut reader)? })
    }

    /// Decodes the body of a ServerHello.
    ///
    /// # Errors
    /// With the offset and field that is cut short.
    pub fn server(body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(body);
        let (version, session_id) = front(&mut reader)?;
        reader.take(3, "cipher_suite")?;
        Ok(Self { version, session_id, extensions: extensions(&mut reader)? })
    }

    /// The data of an extension; `None` when it is not there, or the list is cut short before it.
    pub fn extension(&self, number: u16) -> Option<&'a [u8]> {
        let mut reader = Reader::new(self.extensions);
        loop {
            let kind = reader.array("extension_type").map(u16::from_be_bytes).ok()?;
            let len = be16(&mut reader, "extension_data").ok()?;
            let data = reader.take(len, "extension_data").ok()?;
            if kind == number {
                return Some(data);
            }
        }
    }
}

fn front<'a>(reader: &mut Reader<'a>) -> Result<(u16, &'a [u8]), Error> {
    let version = reader.array("legacy_version").map(u16::from_be_bytes)?;
    reader.take(32, "random")?;
    let at = reader.offset();
    let len = usize::from(reader.u8("legacy_session_id")?);
    if len > 32 {
        return Err(Error::new(at, "legacy_session_id", Kind::TooLarge));
    }
    Ok((version, reader.take(len, "legacy_session_id")?))
}

/// TLS 1.2 allows a hello without the list.
fn extensions<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Error> {
    if reader.rest().is_empty() {
        return Ok(&[]);
    }
    let len = be16(reader, "extensions")?;
    reader.take(len, "extensions")
}

fn be16(reader: &mut Reader<'_>, field: &'static str) -> Result<usize, Error> {
    reader.array(field).map(|bytes| usize::from(u16::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(extensions: &[u8]) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([2, 0xaa, 0xbb]);
        body.extend([0, 2, 0x13, 1]);
        body.extend([1, 0]);
        body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
        body.extend(extensions);
        body
    }

    #[test]
    fn a_client_hello_is_read_as_far_as_it_is_of_use() {
        let body = client(&[0, 16, 0, 1, 9, 0, 23, 0, 0]);
        let hello = Hello::client(&body).unwrap();
        assert_eq!((hello.version, hello.session_id), (0x0303, &[0xaa, 0xbb][..]));
        assert_eq!(hello.extension(extension::ALPN), Some(&[9][..]));
        assert_eq!(hello.extension(extension::EXTENDED_MASTER_SECRET), Some(&[][..]));
        assert_eq!(hello.extension(extension::SUPPORTED_VERSIONS), None);
        for len in 0..body.len() {
            // Without the list of extensions it is whole again: TLS 1.2 allows that.
            assert_eq!(Hello::client(&body[..len]).is_ok(), len == 43, "{len}");
        }
    }

    #[test]
    fn a_list_that_is_cut_short_holds_what_stands_before() {
        let body = client(&[0, 23, 0, 0, 0, 16, 0, 9, 1]);
        let hello = Hello::client(&body).unwrap();
        assert!(hello.extension(extension::EXTENDED_MASTER_SECRET).is_some());
        assert_eq!(hello.extension(extension::ALPN), None);
    }

    #[test]
    fn a_handshake_message_is_whole_or_none() {
        let bytes = [2, 0, 0, 2, 8, 9, 1];
        assert_eq!(find_handshake(&bytes), Some(Handshake { kind: Handshake::SERVER_HELLO, body: &[8, 9] }));
        assert_eq!(find_handshake(&bytes[..5]), None);
    }
}
