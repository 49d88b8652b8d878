//! Certificates and keys from files, as PEM (RFC 7468) or DER.

use super::fault::Fault;
use super::key::Key;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use library::Secret;
use portcullis_wire::der;
use portcullis_wire::x509::Certificate;
use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// What was found in a file, in its order.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) certificates: Vec<Vec<u8>>,
    pub(crate) keys: Vec<Key>,
    /// There is a key that only a password opens.
    pub(crate) encrypted: bool,
}

/// More than any file of certificates has.
pub(crate) const LARGEST: usize = 16 << 20;

/// A file's bytes: they may be a key's.
pub(crate) fn file(path: &Path) -> Result<Secret<Vec<u8>>, Fault> {
    // Without waiting: nobody may ever write into a pipe that stands there.
    let mut file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let about = file.metadata()?;
    let len = usize::try_from(about.len()).ok().filter(|len| *len <= LARGEST);
    let len = len.filter(|_| about.is_file()).ok_or(Fault::READ_FAULT)?;
    // Room enough, so that no copy is left behind by growing.
    let mut bytes = Secret::new(vec![0; len]);
    file.read_exact(bytes.expose_mut())?;
    Ok(bytes)
}

/// What these bytes hold.
pub(crate) fn read(bytes: &[u8]) -> Result<Found, Fault> {
    let mut found = Found::default();
    if find(bytes, BEGIN).is_some() {
        found.read_pem(bytes)?;
    } else {
        found.read_der(bytes)?;
    }
    Ok(found)
}

const BEGIN: &[u8] = b"-----BEGIN ";

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

impl Found {
    fn read_pem(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        while let Some(line) = lines.next() {
            let Some(label) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(b"-----")) else { continue };
            let end = [b"-----END ", label, b"-----"].concat();
            let mut text = Secret::new(Vec::with_capacity(bytes.len()));
            let mut encrypted = label == b"ENCRYPTED PRIVATE KEY";
            loop {
                let line = lines.next().ok_or(Fault::BAD_ENCODE)?;
                if line == end {
                    break;
                }
                if line.contains(&b':') {
                    encrypted |= line.starts_with(b"Proc-Type:") && find(line, b"ENCRYPTED").is_some();
                    continue;
                }
                text.expose_mut().extend_from_slice(line);
            }
            match label {
                b"CERTIFICATE" | b"X509 CERTIFICATE" => self.certificate(decode(&text)?.expose())?,
                b"ENCRYPTED PRIVATE KEY" | b"PRIVATE KEY" | b"RSA PRIVATE KEY" | b"EC PRIVATE KEY" if encrypted => {
                    self.encrypted = true;
                }
                b"PRIVATE KEY" | b"RSA PRIVATE KEY" | b"EC PRIVATE KEY" => self.key(decode(&text)?)?,
                _ => {} // parameters, requests and what else stands in such files
            }
        }
        Ok(())
    }

    /// Certificates one behind another, or a key.
    fn read_der(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let len = der::complete_len(rest, LARGEST)?.ok_or(Fault::BAD_ENCODE)?;
            let (value, behind) = rest.split_at_checked(len).ok_or(Fault::BAD_ENCODE)?;
            if self.certificate(value).is_err() {
                self.key(Secret::new(value.to_vec()))?;
            }
            rest = behind;
        }
        Ok(())
    }

    fn certificate(&mut self, der: &[u8]) -> Result<(), Fault> {
        Certificate::decode(der)?;
        self.certificates.push(der.to_vec());
        Ok(())
    }

    fn key(&mut self, der: Secret<Vec<u8>>) -> Result<(), Fault> {
        match Key::of_der(der) {
            Ok(key) => self.keys.push(key),
            Err(Fault::NOT_SUPPORTED) => self.encrypted = true,
            Err(fault) => return Err(fault),
        }
        Ok(())
    }
}

fn decode(text: &Secret<Vec<u8>>) -> Result<Secret<Vec<u8>>, Fault> {
    let mut bytes = Secret::new(vec![0; text.expose().len() / 4 * 3 + 3]);
    let len = STANDARD.decode_slice(text.expose(), bytes.expose_mut()).map_err(|_| Fault::BAD_ENCODE)?;
    bytes.expose_mut().truncate(len);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_files() {
        let key = "-----BEGIN PRIVATE KEY-----\r\nMAUCAQAwAA==\r\n-----END PRIVATE KEY-----";
        let text = format!("a comment \u{e9}\n-----BEGIN EC PARAMETERS-----\nBgA=\n-----END EC PARAMETERS-----\n{key}");
        let found = read(text.as_bytes()).unwrap();
        assert_eq!((found.keys.len(), found.certificates.len(), found.encrypted), (1, 0, false));
        let encrypted = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        assert!(read(encrypted.as_bytes()).unwrap().encrypted);
        for bad in [&key[..key.len() - 1], &key.replace("MAUC", "M*UC"), &key.replace("MAUC", "AAAA"), "neither"] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(read(&[]).unwrap().keys.is_empty());
    }
}
