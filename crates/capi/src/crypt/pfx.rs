//! PKCS#12: PFXImportCertStore and its neighbours.

use super::fault::Fault;
use super::key::Key;
use super::layout::Blob;
use super::pem::LARGEST;
use super::property::Properties;
use super::registry::{Given, registry};
use super::room;
use crate::host;
use crate::text::{Charset as _, Wide};
use library::Secret;
use library::schannel::Identity;
use p12_keystore::error::Error;
use p12_keystore::{CertificateBag, LocalKeyId, Pkcs12Archive, PrivateKeyBag};
use portcullis_wire::der::{Der, tag};
use std::ffi::c_void;
use std::sync::Arc;

/// A store of the file's certificates, their private keys with them.
///
/// # Safety
/// `pfx` is null or a blob of bytes; `password` is null or a string of UTF-16.
pub(crate) unsafe fn import(pfx: *const Blob, password: *const c_void) -> Result<usize, Fault> {
    // SAFETY: as the caller says.
    let archive = unsafe { open(pfx, password) }?;
    let keys = keys(&archive)?;
    let mut registry = registry();
    let store = registry.open_store(1);
    for (place, bag) in archive.certs.iter().enumerate() {
        let of_it = keys.iter().find(|(of, ..)| *of == Some(place));
        let name = bag.friendly_name.as_deref().or(of_it.and_then(|(.., name)| *name));
        let properties = Properties::new(of_it.map(|(_, key, _)| Arc::clone(key)), name);
        let given = Given { properties, ..Given::bare(bag.cert.as_der()) };
        if let Err(fault) = registry.insert(store, given) {
            let _ = registry.close_store(store, true);
            return Err(fault);
        }
    }
    Ok(store)
}

/// A key, which of the file's certificates it is of, and its name.
type Placed<'a> = (Option<usize>, Arc<Key>, Option<&'a str>);

/// The file's keys. One that cannot be read is no reason to do without the others.
fn keys(archive: &Pkcs12Archive) -> Result<Vec<Placed<'_>>, Fault> {
    let mut keys = Vec::new();
    let mut unread = None;
    for bag in &archive.keys {
        match Key::of_der(Secret::new(bag.key.as_der().to_vec())) {
            Ok(key) => keys.push((place(archive, bag), Arc::new(key), bag.friendly_name.as_deref())),
            Err(fault) => unread = Some(fault),
        }
    }
    // Only now: the host's function for the log may do anything.
    for (_, _, name) in keys.iter().filter(|(place, ..)| place.is_none()) {
        tracing::warn!(name, "a private key of a PKCS#12 file is left out: none of its certificates is the key's");
    }
    match unread {
        Some(fault) if keys.is_empty() => return Err(fault),
        Some(_) => tracing::warn!("a private key of a PKCS#12 file is left out: it cannot be read"),
        None => {}
    }
    Ok(keys)
}

/// Which certificate a key is of.
fn place(archive: &Pkcs12Archive, bag: &PrivateKeyBag) -> Option<usize> {
    let of_id = |id: &LocalKeyId| archive.certs.iter().position(|of| of.local_key_id.as_ref() == Some(&id.0));
    if let Some(place) = bag.local_key_id.as_ref().and_then(of_id) {
        return Some(place);
    }
    // A file without ids: the one of the same public key, or for a kind of key that is not known here, the first.
    let is_of = |of: &CertificateBag| Identity::from_der(vec![of.cert.as_der().to_vec()], bag.key.as_der()).is_ok();
    let of_key = {
        let _inside = host::uninterrupted();
        archive.certs.iter().position(is_of)
    };
    of_key.or((archive.keys.len() == 1).then_some(0))
}

/// Whether the password is the file's.
///
/// # Safety
/// As [`import`].
pub(crate) unsafe fn verify(pfx: *const Blob, password: *const c_void) -> Result<(), Fault> {
    // SAFETY: as the caller says.
    unsafe { open(pfx, password) }.map(drop)
}

/// Whether it looks like such a file from outside.
///
/// # Safety
/// `pfx` is null or a blob of bytes.
pub(crate) unsafe fn is_one(pfx: *const Blob) -> Result<(), Fault> {
    // SAFETY: as the caller says.
    let bytes = unsafe { blob(pfx) }?;
    let mut whole = Der::new(bytes);
    let mut file = whole.take(tag::SEQUENCE, "pfx")?;
    whole.finish("pfx")?;
    if file.bytes(0x02, "version")? != [3] {
        return Err(Fault::BAD_ENCODE);
    }
    let mut content = file.take(tag::SEQUENCE, "authSafe")?;
    content.oid("contentType")?;
    Ok(())
}

/// # Safety
/// As [`import`].
unsafe fn open(pfx: *const Blob, password: *const c_void) -> Result<Pkcs12Archive, Fault> {
    // SAFETY: as the caller says.
    let (bytes, password) = unsafe { (blob(pfx)?, Secret::new(Wide::read(password)?.unwrap_or_default())) };
    Pkcs12Archive::from_pkcs12(bytes, password.expose()).map_err(|error| {
        tracing::info!(%error, "a PKCS#12 file is not opened");
        match error {
            Error::MacError(_) | Error::UnpadError => Fault::INVALID_PASSWORD,
            Error::Pkcs5Error(text) if !text.contains("unsupported") => Fault::INVALID_PASSWORD,
            Error::Pkcs5Error(_)
            | Error::UnsupportedContentType
            | Error::UnsupportedCertificateType
            | Error::UnsupportedEncryptionScheme
            | Error::UnsupportedMacAlgorithm => Fault::BAD_ALGORITHM,
            _ => Fault::BAD_ENCODE,
        }
    })
}

/// # Safety
/// `pfx` is null or a blob of bytes.
unsafe fn blob<'b>(pfx: *const Blob) -> Result<&'b [u8], Fault> {
    if pfx.is_null() {
        return Err(Fault::INVALID_PARAMETER);
    }
    // SAFETY: as the caller says.
    let Blob { cbData, pbData } = unsafe { pfx.read_unaligned() };
    if cbData as usize > LARGEST {
        return Err(Fault::BAD_ENCODE);
    }
    // SAFETY: as the caller says.
    unsafe { room::bytes(pbData, cbData) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use p12_keystore::{Certificate, PrivateKey};

    /// Self-signed certificates and their keys, by openssl.
    fn archive(names: &[&str]) -> Pkcs12Archive {
        let folder = tempfile::tempdir().unwrap();
        let openssl = |arguments: &str| {
            let mut command = std::process::Command::new("openssl");
            let done = command.args(arguments.split(' ')).current_dir(folder.path()).output().unwrap();
            assert!(done.status.success(), "{done:?}");
        };
        let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
        let mut archive = Pkcs12Archive::default();
        for name in names {
            openssl(&format!(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out cert -outform DER -subj /CN={name}"
            ));
            openssl("pkcs8 -topk8 -nocrypt -in key -outform DER -out pkcs8");
            archive.certs.push(CertificateBag {
                friendly_name: None,
                local_key_id: None,
                trusted: false,
                cert: Certificate::from_der(&read("cert")).unwrap(),
            });
            archive.keys.push(PrivateKeyBag {
                friendly_name: Some((*name).to_owned()),
                local_key_id: None,
                key: PrivateKey::from_der(&read("pkcs8")).unwrap(),
            });
        }
        archive
    }

    fn places(archive: &Pkcs12Archive) -> Vec<(Option<usize>, &str)> {
        keys(archive).unwrap().into_iter().map(|(place, _, name)| (place, name.unwrap())).collect()
    }

    #[test]
    fn keys_without_ids_find_their_certificates() {
        let mut archive = archive(&["a", "b", "c"]);
        archive.keys.reverse();
        assert_eq!(places(&archive), [(Some(2), "c"), (Some(1), "b"), (Some(0), "a")]);
        // An id counts more; one that no certificate has is none.
        archive.keys[1].local_key_id = Some(LocalKeyId(vec![1]));
        archive.keys[2].local_key_id = Some(LocalKeyId(vec![2]));
        archive.certs[1].local_key_id = Some(vec![1]);
        assert_eq!(places(&archive), [(Some(2), "c"), (Some(1), "b"), (Some(0), "a")]);
        archive.certs.pop();
        assert_eq!(places(&archive), [(None, "c"), (Some(1), "b"), (Some(0), "a")]);
        // The only key is of the first certificate, unless it is of another one.
        archive.keys.truncate(1);
        assert_eq!(places(&archive), [(Some(0), "c")]);
    }
}
