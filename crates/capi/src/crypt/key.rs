//! Private keys: what they are written in, and how RSA's come from CryptoAPI's blob.

use super::fault::Fault;
use super::layout::{EXCHANGE, SIGNATURE};
use library::Secret;
use portcullis_wire::der::{Der, tag, tlv, tlv_len};

/// What a key's DER is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// PrivateKeyInfo (RFC 5958), of any algorithm.
    Pkcs8,
    /// RSAPrivateKey (RFC 8017).
    Pkcs1,
    /// ECPrivateKey (RFC 5915).
    Sec1,
}

/// A private key.
#[derive(Debug)]
pub(crate) struct Key {
    #[cfg_attr(not(test), expect(dead_code, reason = "who uses a key finds out from its DER"))]
    pub(crate) kind: KeyKind,
    pub(crate) der: Secret<Vec<u8>>,
}

const INTEGER: u8 = 0x02;

impl Key {
    /// A key by its DER, which says itself what it is. NOT_SUPPORTED for one that is encrypted.
    pub(crate) fn of_der(der: Secret<Vec<u8>>) -> Result<Self, Fault> {
        let mut whole = Der::new(der.expose());
        let mut content = whole.take(tag::SEQUENCE, "key")?;
        whole.finish("key")?;
        if content.peek() == Some(tag::SEQUENCE) {
            return Err(Fault::NOT_SUPPORTED); // EncryptedPrivateKeyInfo
        }
        content.bytes(INTEGER, "version")?;
        let kind = match content.peek() {
            Some(INTEGER) => KeyKind::Pkcs1,
            Some(tag::SEQUENCE) => KeyKind::Pkcs8,
            Some(tag::OCTET_STRING) => KeyKind::Sec1,
            _ => return Err(Fault::BAD_ENCODE),
        };
        Ok(Self { kind, der })
    }

    /// A key by a PRIVATEKEYBLOB, and what it is for.
    pub(crate) fn of_blob(blob: &[u8]) -> Result<(Self, u32), Fault> {
        let (header, rest) = blob.split_first_chunk::<20>().ok_or(Fault::BAD_DATA)?;
        let number = |at: usize| {
            let bytes = header.get(at..).and_then(|bytes| bytes.first_chunk::<4>());
            bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
        };
        let [kind, version, ..] = *header;
        if kind != PRIVATE_KEY_BLOB {
            return Err(Fault::BAD_TYPE);
        }
        if version != 2 {
            return Err(Fault::BAD_VERSION);
        }
        let spec = match number(4) {
            CALG_RSA_KEYX => EXCHANGE,
            CALG_RSA_SIGN => SIGNATURE,
            _ => return Err(Fault::BAD_ALGORITHM),
        };
        let bits = number(12) as usize;
        if number(8) != RSA2 || bits == 0 || !bits.is_multiple_of(16) || bits > MOST_BITS {
            return Err(Fault::BAD_DATA);
        }
        let exponent = number(16).to_le_bytes();
        let mut rest = rest;
        let mut take = |len: usize| -> Result<&[u8], Fault> {
            let (part, behind) = rest.split_at_checked(len).ok_or(Fault::BAD_DATA)?;
            rest = behind;
            Ok(part)
        };
        let (whole, half) = (bits / 8, bits / 16);
        let modulus = take(whole)?;
        let [p, q, dp, dq, inverse] = [take(half)?, take(half)?, take(half)?, take(half)?, take(half)?];
        let private = take(whole)?;
        // Room enough, so that no copy is left behind by growing.
        let mut content = Secret::new(Vec::with_capacity(2 * blob.len() + 128));
        for little_endian in [&[0][..], modulus, &exponent, private, p, q, dp, dq, inverse] {
            integer(little_endian, content.expose_mut());
        }
        let mut der = Secret::new(Vec::with_capacity(tlv_len(content.expose().len())));
        tlv(tag::SEQUENCE, content.expose(), der.expose_mut());
        Ok((Self { kind: KeyKind::Pkcs1, der }, spec))
    }
}

const PRIVATE_KEY_BLOB: u8 = 7;
const CALG_RSA_KEYX: u32 = 0xa400;
const CALG_RSA_SIGN: u32 = 0x2400;
const RSA2: u32 = 0x3241_5352;
const MOST_BITS: usize = 16384;

/// An INTEGER that is not negative, from its bytes in the other order.
fn integer(little_endian: &[u8], out: &mut Vec<u8>) {
    let digits = little_endian.iter().rposition(|byte| *byte != 0).map_or(1, |last| last + 1);
    let mut bytes = Secret::new(Vec::with_capacity(digits + 1));
    let highest_first = little_endian.iter().take(digits).rev().copied();
    if highest_first.clone().next().is_some_and(|byte| byte >= 0x80) {
        bytes.expose_mut().push(0);
    }
    bytes.expose_mut().extend(highest_first);
    tlv(INTEGER, bytes.expose(), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_from_the_other_end() {
        for (little_endian, der) in [
            (&[0, 0][..], &[2, 1, 0][..]),
            (&[1, 0], &[2, 1, 1]),
            (&[0x80, 0], &[2, 2, 0, 0x80]),
            (&[2, 1], &[2, 2, 1, 2]),
        ] {
            let mut out = Vec::new();
            integer(little_endian, &mut out);
            assert_eq!(out, der);
        }
    }

    #[test]
    fn blobs_that_are_none() {
        let mut blob = vec![7, 2, 0, 0, 0, 0xa4, 0, 0, b'R', b'S', b'A', b'2', 16, 0, 0, 0, 1, 0, 1, 0];
        blob.extend([1; 9]);
        let (key, spec) = Key::of_blob(&blob).unwrap();
        assert_eq!((key.kind, spec), (KeyKind::Pkcs1, EXCHANGE));
        assert_eq!(format!("{key:?}"), "Key { kind: Pkcs1, der: Secret(…) }");
        for len in 0..blob.len() {
            assert_eq!(Key::of_blob(&blob[..len]).err(), Some(Fault::BAD_DATA), "{len}");
        }
    }

    #[test]
    fn kinds_by_what_stands_behind_the_version() {
        let kind = |der: &[u8]| Key::of_der(Secret::new(der.to_vec())).map(|key| key.kind);
        assert_eq!(kind(&[0x30, 6, 2, 1, 0, 2, 1, 5]), Ok(KeyKind::Pkcs1));
        assert_eq!(kind(&[0x30, 5, 2, 1, 0, 0x30, 0]), Ok(KeyKind::Pkcs8));
        assert_eq!(kind(&[0x30, 5, 2, 1, 1, 4, 0]), Ok(KeyKind::Sec1));
        assert_eq!(kind(&[0x30, 2, 0x30, 0]), Err(Fault::NOT_SUPPORTED));
        assert!(kind(&[0x30, 3, 2, 1, 0]).is_err() && kind(&[]).is_err());
    }

    /// The blob that openssl writes of a key is the key that it writes otherwise.
    #[test]
    fn a_blob_of_openssl() {
        let folder = tempfile::tempdir().unwrap();
        let openssl = |arguments: &str| {
            let mut command = std::process::Command::new("openssl");
            let done = command.args(arguments.split(' ')).current_dir(folder.path()).output().unwrap();
            assert!(done.status.success(), "{done:?}");
        };
        let read = |name| std::fs::read(folder.path().join(name)).unwrap();
        openssl("genrsa -out key 1024");
        openssl("rsa -in key -traditional -outform DER -out der");
        openssl("rsa -in key -outform MSBLOB -out blob");
        let (key, _) = Key::of_blob(&read("blob")).unwrap();
        assert_eq!(key.der.expose(), &read("der"));
        assert_eq!(Key::of_der(Secret::new(read("der"))).unwrap().kind, KeyKind::Pkcs1);
    }
}
