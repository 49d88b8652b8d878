//! What is known of a certificate beside its bytes: its private key above all. CertGetCertificateContextProperty and
//! CertSetCertificateContextProperty.

use super::fault::Fault;
use super::hash;
use super::key::Key;
use super::layout::{Blob, CertContext, EXCHANGE, KeyContext, KeyProvInfo};
use super::registry::{Entry, Registry, registry};
use super::room;
use crate::text::{Charset as _, Wide};
use std::collections::BTreeMap;
use std::sync::Arc;

const KEY_PROV_HANDLE: u32 = 1;
const KEY_PROV_INFO: u32 = 2;
const SHA1_HASH: u32 = 3;
const MD5_HASH: u32 = 4;
const KEY_CONTEXT: u32 = 5;
const KEY_SPEC: u32 = 6;
pub(crate) const FRIENDLY_NAME: u32 = 11;
const SHA256_HASH: u32 = 107;

/// CERT_STORE_NO_CRYPT_RELEASE_FLAG: the provider stays its caller's.
const NO_RELEASE: u32 = 1;

#[derive(Default)]
pub(crate) struct Properties {
    /// A key that came with the certificate (PEM, PKCS#12).
    pub(crate) own: Option<Arc<Key>>,
    context: Option<Attached>,
    info: Option<Named>,
    /// All others, as they were set.
    pub(crate) plain: BTreeMap<u32, Vec<u8>>,
}

/// CERT_KEY_CONTEXT.
#[derive(Clone)]
struct Attached {
    provider: usize,
    spec: u32,
    /// The key that was there when it was set: it stays where the provider goes.
    key: Option<Arc<Key>>,
    /// Whether the provider goes with the certificate.
    owned: bool,
}

/// CRYPT_KEY_PROV_INFO.
#[derive(Clone)]
struct Named {
    container: String,
    provider: String,
    kind: u32,
    flags: u32,
    spec: u32,
}

impl Properties {
    /// Of a certificate that comes with these.
    pub(crate) fn new(own: Option<Arc<Key>>, friendly_name: Option<&str>) -> Self {
        let plain = friendly_name.map(|name| (FRIENDLY_NAME, Wide::encode(name)));
        Self { own, plain: plain.into_iter().collect(), ..Self::default() }
    }

    /// For another context of the certificate: the provider stays with this one.
    pub(crate) fn copy(&self) -> Self {
        let context = self.context.clone().map(|context| Attached { owned: false, ..context });
        Self { own: self.own.clone(), context, info: self.info.clone(), plain: self.plain.clone() }
    }

    /// The provider that goes with it.
    pub(crate) fn owned_provider(&self) -> Option<usize> {
        self.context.as_ref().filter(|context| context.owned).map(|context| context.provider)
    }

    /// Takes what is not set here from the certificate that is replaced.
    pub(crate) fn inherit(&mut self, old: &Self) {
        let Self { own, context, info, plain } = old.copy();
        self.own = self.own.take().or(own);
        self.context = self.context.take().or(context);
        self.info = self.info.take().or(info);
        for (id, bytes) in plain {
            self.plain.entry(id).or_insert(bytes);
        }
    }

    /// CERT_FIND_HAS_PRIVATE_KEY.
    pub(crate) fn has_key(&self) -> bool {
        self.own.is_some() || self.context.is_some() || self.info.is_some()
    }
}

/// CERT_FIND_PROPERTY: whether there is such a property.
pub(crate) fn has(entry: &Entry, id: u32) -> bool {
    let properties = &entry.properties;
    match id {
        SHA1_HASH | MD5_HASH | SHA256_HASH => true,
        KEY_PROV_HANDLE | KEY_CONTEXT => properties.context.is_some(),
        KEY_SPEC => spec(properties).is_some(),
        KEY_PROV_INFO => properties.info.is_some() || properties.own.is_some(),
        id => properties.plain.contains_key(&id),
    }
}

/// The private key of a certificate, by whichever way it has one.
pub(crate) fn key(registry: &Registry, entry: &Entry) -> Option<Arc<Key>> {
    let Properties { own, context, info, .. } = &entry.properties;
    let attached = || {
        let Attached { provider, spec, key, .. } = context.as_ref()?;
        key.clone().or_else(|| registry.container(*provider).ok()?.key(*spec).cloned())
    };
    let named = || {
        let Named { container, spec, .. } = info.as_ref()?;
        match registry.containers.get(container) {
            Some(container) => container.key(*spec).cloned(),
            None => own_container(registry, container),
        }
    };
    own.clone().or_else(attached).or_else(named)
}

/// The name under which a key that came with its certificate is shown.
fn container_of(entry: &Entry) -> String {
    let hash = hash::sha1(entry.shown.encoded());
    hash.iter().fold("portcullis:".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

/// The key behind such a name.
fn own_container(registry: &Registry, name: &str) -> Option<Arc<Key>> {
    let mut entries = registry.all().filter(|entry| entry.properties.own.is_some());
    entries.find(|entry| container_of(entry) == name)?.properties.own.clone()
}

/// # Safety
/// `data` is null or has as many bytes as `size` says.
pub(crate) unsafe fn get(context: *const CertContext, id: u32, data: *mut u8, size: *mut u32) -> Result<(), Fault> {
    let registry = registry();
    let entry = registry.context(context)?;
    let properties = &entry.properties;
    let encoded = entry.shown.encoded();
    let bytes = match (id, &properties.context) {
        (SHA1_HASH, _) => hash::sha1(encoded),
        (MD5_HASH, _) => hash::md5(encoded),
        (SHA256_HASH, _) => hash::sha256(encoded),
        (KEY_PROV_HANDLE, Some(of)) => of.provider.to_ne_bytes().to_vec(),
        (KEY_CONTEXT, Some(of)) => key_context(of),
        (KEY_SPEC, _) => spec(properties).ok_or(Fault::NOT_FOUND)?.to_ne_bytes().to_vec(),
        (KEY_PROV_INFO, _) => info_bytes(&info(entry).ok_or(Fault::NOT_FOUND)?, data),
        (id, _) => properties.plain.get(&id).cloned().ok_or(Fault::NOT_FOUND)?,
    };
    // SAFETY: as the caller says.
    unsafe { room::put(&bytes, data, size) }
}

fn spec(properties: &Properties) -> Option<u32> {
    let of_context = properties.context.as_ref().map(|of| of.spec);
    let of_info = properties.info.as_ref().map(|of| of.spec);
    of_context.or(of_info).or(properties.own.as_ref().map(|_| EXCHANGE))
}

fn info(entry: &Entry) -> Option<Named> {
    let own = || {
        entry.properties.own.as_ref().map(|_| Named {
            container: container_of(entry),
            provider: "Portcullis".to_owned(),
            kind: 0,
            flags: 0,
            spec: EXCHANGE,
        })
    };
    entry.properties.info.clone().or_else(own)
}

/// CERT_KEY_CONTEXT in its bytes.
fn key_context(of: &Attached) -> Vec<u8> {
    let mut bytes = vec![0; size_of::<KeyContext>()];
    let parts = [
        (std::mem::offset_of!(KeyContext, cbSize), (size_of::<KeyContext>() as u32).to_ne_bytes().to_vec()),
        (std::mem::offset_of!(KeyContext, hCryptProv), of.provider.to_ne_bytes().to_vec()),
        (std::mem::offset_of!(KeyContext, dwKeySpec), of.spec.to_ne_bytes().to_vec()),
    ];
    write(&mut bytes, &parts);
    bytes
}

/// CRYPT_KEY_PROV_INFO for this place, its strings behind it.
fn info_bytes(of: &Named, place: *mut u8) -> Vec<u8> {
    let (container, provider) = (Wide::encode(&of.container), Wide::encode(&of.provider));
    let mut bytes = vec![0; size_of::<KeyProvInfo>()];
    let strings = place.addr().wrapping_add(bytes.len());
    let parts = [
        (std::mem::offset_of!(KeyProvInfo, pwszContainerName), strings.to_ne_bytes().to_vec()),
        (std::mem::offset_of!(KeyProvInfo, pwszProvName), strings.wrapping_add(container.len()).to_ne_bytes().to_vec()),
        (std::mem::offset_of!(KeyProvInfo, dwProvType), of.kind.to_ne_bytes().to_vec()),
        (std::mem::offset_of!(KeyProvInfo, dwFlags), of.flags.to_ne_bytes().to_vec()),
        (std::mem::offset_of!(KeyProvInfo, dwKeySpec), of.spec.to_ne_bytes().to_vec()),
    ];
    write(&mut bytes, &parts);
    [bytes, container, provider].concat()
}

fn write(bytes: &mut [u8], parts: &[(usize, Vec<u8>)]) {
    for (at, part) in parts {
        if let Some(place) = bytes.get_mut(*at..at + part.len()) {
            place.copy_from_slice(part);
        }
    }
}

/// # Safety
/// `data` is null, or what the property asks for.
pub(crate) unsafe fn set(context: *const CertContext, id: u32, flags: u32, data: *const u8) -> Result<(), Fault> {
    // SAFETY: as the caller says.
    let change = unsafe { Change::read(id, flags, data) }?;
    let mut registry = registry();
    let change = change.with_key(&registry)?;
    let properties = &mut registry.context_mut(context)?.properties;
    let owned = properties.owned_provider();
    match change {
        Change::Context(context) => properties.context = context,
        Change::Spec(spec) => match &mut properties.context {
            Some(context) => context.spec = spec,
            None => return Err(Fault::INVALID_ARGUMENT),
        },
        Change::Info(info) => properties.info = info,
        Change::Plain(Some(bytes)) => drop(properties.plain.insert(id, bytes)),
        Change::Plain(None) => drop(properties.plain.remove(&id)),
    }
    let now = properties.context.as_ref().map(|context| context.provider);
    // What went with the old property goes now.
    if let Some(owned) = owned.filter(|_| owned != now) {
        let _ = registry.remove_provider(owned);
    }
    Ok(())
}

/// What a property is set to.
enum Change {
    Context(Option<Attached>),
    Spec(u32),
    Info(Option<Named>),
    Plain(Option<Vec<u8>>),
}

/// More than any property is long.
const LONGEST: u32 = 1 << 20;

impl Change {
    /// # Safety
    /// As [`set`].
    unsafe fn read(id: u32, flags: u32, data: *const u8) -> Result<Self, Fault> {
        let attached = |provider, spec| {
            Self::Context(Some(Attached { provider, spec, key: None, owned: flags & NO_RELEASE == 0 }))
        };
        Ok(match id {
            0 | SHA1_HASH | MD5_HASH | SHA256_HASH => return Err(Fault::INVALID_ARGUMENT),
            KEY_PROV_HANDLE | KEY_CONTEXT if data.is_null() => Self::Context(None),
            KEY_PROV_INFO if data.is_null() => Self::Info(None),
            KEY_SPEC if data.is_null() => return Err(Fault::INVALID_ARGUMENT),
            _ if data.is_null() => Self::Plain(None),
            // The handle itself stands in the place of a pointer.
            KEY_PROV_HANDLE => attached(data.addr(), EXCHANGE),
            KEY_CONTEXT => {
                // SAFETY: the caller says that such a structure stands there.
                let given = unsafe { data.cast::<KeyContext>().read_unaligned() };
                if (given.cbSize as usize) < size_of::<KeyContext>() {
                    return Err(Fault::INVALID_ARGUMENT);
                }
                attached(given.hCryptProv, given.dwKeySpec)
            }
            // SAFETY: the caller says that a DWORD stands there.
            KEY_SPEC => Self::Spec(unsafe { data.cast::<u32>().read_unaligned() }),
            // SAFETY: the caller says that such a structure stands there.
            KEY_PROV_INFO => Self::Info(Some(unsafe { Named::read(data) }?)),
            _ => {
                // SAFETY: all others are set by a CRYPT_DATA_BLOB.
                let blob = unsafe { data.cast::<Blob>().read_unaligned() };
                if blob.cbData > LONGEST {
                    return Err(Fault::INVALID_ARGUMENT);
                }
                // SAFETY: the caller says that as many bytes stand there.
                Self::Plain(Some(unsafe { room::bytes(blob.pbData, blob.cbData) }?.to_vec()))
            }
        })
    }

    /// A provider must be one; its key is taken at once where it is there.
    fn with_key(self, registry: &Registry) -> Result<Self, Fault> {
        let Self::Context(Some(mut context)) = self else { return Ok(self) };
        context.key = registry.container(context.provider)?.key(context.spec).cloned();
        Ok(Self::Context(Some(context)))
    }
}

impl Named {
    /// # Safety
    /// A CRYPT_KEY_PROV_INFO stands at `data`, whose strings end with a zero.
    unsafe fn read(data: *const u8) -> Result<Self, Fault> {
        // SAFETY: as the caller says.
        let given = unsafe { data.cast::<KeyProvInfo>().read_unaligned() };
        // SAFETY: as the caller says.
        let (container, provider) =
            unsafe { (Wide::read(given.pwszContainerName.cast())?, Wide::read(given.pwszProvName.cast())?) };
        Ok(Self {
            container: container.unwrap_or_default(),
            provider: provider.unwrap_or_default(),
            kind: given.dwProvType,
            flags: given.dwFlags,
            spec: given.dwKeySpec,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::Given;
    use super::super::tests::encoded;
    use super::super::{certificate, provider};
    use super::*;
    use crate::text::Ansi;
    use library::Secret;

    /// The key that a credential would take.
    fn key_of(context: *const CertContext) -> Option<Arc<Key>> {
        certificate(context).unwrap().key
    }

    fn held(subject: &str, properties: Properties) -> *const CertContext {
        let mut registry = registry();
        let encoded = encoded(subject, subject);
        let given = Given { properties, ..Given::bare(&encoded) };
        let made = registry.insert(0, given).unwrap();
        registry.hold(made)
    }

    fn change(context: *const CertContext, id: u32, flags: u32, data: *const u8) -> Result<(), Fault> {
        // SAFETY: the tests below bring what the property asks for.
        unsafe { set(context, id, flags, data) }
    }

    #[test]
    fn a_key_of_a_container() {
        let (mut provider, mut key) = (0, 0);
        let mut blob = vec![7, 2, 0, 0, 0, 0xa4, 0, 0, b'R', b'S', b'A', b'2', 16, 0, 0, 0, 1, 0, 1, 0];
        blob.extend([1; 9]);
        // SAFETY: strings, bytes and variables are there.
        unsafe {
            provider::acquire::<Ansi>(&mut provider, c"a test's".as_ptr().cast(), 8).unwrap();
            provider::import(provider, blob.as_ptr(), 29, &mut key).unwrap();
        }
        let context = held("one", Properties::default());
        assert!(key_of(context).is_none());
        let name = Wide::encode("a test's");
        let mut info = KeyProvInfo {
            pwszContainerName: name.as_ptr().cast_mut().cast(),
            pwszProvName: std::ptr::null_mut(),
            dwProvType: 1,
            dwFlags: 0,
            cProvParam: 0,
            rgProvParam: std::ptr::null_mut(),
            dwKeySpec: EXCHANGE,
        };
        change(context, KEY_PROV_INFO, 0, (&raw const info).cast()).unwrap();
        assert!(key_of(context).is_some());
        info.dwKeySpec = 2;
        change(context, KEY_PROV_INFO, 0, (&raw const info).cast()).unwrap();
        assert!(key_of(context).is_none(), "there is none to sign with");
        change(context, KEY_PROV_INFO, 0, std::ptr::null()).unwrap();

        let attached = KeyContext { cbSize: 24, hCryptProv: provider, dwKeySpec: EXCHANGE };
        change(context, KEY_CONTEXT, NO_RELEASE, (&raw const attached).cast()).unwrap();
        provider::release(provider).unwrap();
        assert!(key_of(context).is_some(), "it was taken when it was set");
        change(context, KEY_CONTEXT, 0, std::ptr::null()).unwrap();
        assert!(key_of(context).is_none());
        let stale = change(context, KEY_CONTEXT, 0, (&raw const attached).cast());
        assert_eq!(stale, Err(Fault::INVALID_HANDLE));
        registry().release(context).unwrap();
        provider::destroy_key(key).unwrap();
    }

    #[test]
    fn a_key_of_another_context() {
        let key = Key::of_der(Secret::new(vec![0x30, 5, 2, 1, 0, 0x30, 0])).unwrap();
        let first = held("two", Properties::new(Some(Arc::new(key)), Some("a friend")));
        let second = held("three", Properties::default());
        let mut size = 0;
        // SAFETY: without a place nothing is written there.
        unsafe { get(first, KEY_PROV_INFO, std::ptr::null_mut(), &mut size) }.unwrap();
        let mut place = vec![0u64; size as usize / 8 + 1];
        // SAFETY: the place has as many bytes.
        unsafe { get(first, KEY_PROV_INFO, place.as_mut_ptr().cast(), &mut size) }.unwrap();
        change(second, KEY_PROV_INFO, 0, place.as_ptr().cast()).unwrap();
        assert!(Arc::ptr_eq(&key_of(first).unwrap(), &key_of(second).unwrap()));
        registry().release(first).unwrap();
        assert!(key_of(second).is_none(), "it went with the one that had it");
        registry().release(second).unwrap();
    }
}
