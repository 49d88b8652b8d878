//! The part of `wincrypt.h` that Schannel's callers need: certificates, their keys, and stores of them.
//!
//! A caller's context is in [`registry`], as [`shown`] lays it out; what is known of it beside its bytes, in [`property`].
//! Certificates come from callers ([`certificate`]), files ([`pem`], [`pfx`]) and stores ([`store`], [`find`]); keys also
//! from CryptoAPI's containers ([`provider`], [`key`]). [`exports`] has the functions by their names: nothing in the
//! library calls those.

mod certificate;
mod exports;
mod fault;
mod find;
mod hash;
mod key;
mod layout;
mod name;
mod pem;
mod pfx;
mod property;
mod provider;
mod registry;
mod room;
mod shown;
mod store;

use crate::code::Code;
use fault::Fault;
pub(crate) use key::Key;
#[cfg(test)]
pub(crate) use key::KeyKind;
pub(crate) use layout::CertContext;
pub(crate) use registry::{forget_all, release_all, take_all};
use std::ffi::c_void;
use std::sync::Arc;

/// What a credential takes from a certificate context.
#[derive(Debug)]
pub(crate) struct Held {
    /// The certificate itself first, then who issued it.
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) key: Option<Arc<Key>>,
}

/// The certificate of a caller's PCCERT_CONTEXT. One that is not of ours, or was freed, is not followed:
/// UNKNOWN_CREDENTIALS.
pub(crate) fn certificate(context: *const CertContext) -> Result<Held, Code> {
    let registry = registry::registry();
    let entry = registry.context(context).map_err(|_| Code::UNKNOWN_CREDENTIALS)?;
    Ok(Held { chain: store::chain(&registry, entry), key: property::key(&registry, entry) })
}

/// The certificates of a caller's HCERTSTORE, such as hRootStore. INVALID_HANDLE for what is none.
pub(crate) fn store(handle: *mut c_void) -> Result<Vec<Vec<u8>>, Code> {
    let registry = registry::registry();
    let members = registry.members(handle.addr(), std::ptr::null()).map_err(|_| Code::INVALID_HANDLE)?;
    Ok(members.map(|entry| entry.shown.encoded().to_vec()).collect())
}

/// A peer's certificate for a caller, who gives it back by CertFreeCertificateContext; its hCertStore has the whole chain.
pub(crate) fn make(chain: &[Vec<u8>]) -> Result<*const CertContext, Code> {
    certificate::of_chain(chain, None).map_err(|fault| match fault {
        Fault::NOT_FOUND => Code::NO_CREDENTIALS,
        _ => Code::INTERNAL_ERROR,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use layout::FileTime;
    use portcullis_wire::der::{Constructed, tag};

    /// A certificate of these names: nobody signed it.
    pub(super) fn encoded(subject: &str, issuer: &str) -> Vec<u8> {
        let name = |text: &str| {
            let attribute = Constructed::new().with(tag::OID, &[0x55, 4, 3]).with(0x0c, text.as_bytes());
            let set = Constructed::new().with(0x31, &attribute.into_tlv(tag::SEQUENCE));
            set.into_tlv(tag::SEQUENCE)
        };
        let algorithm = Constructed::new().with(tag::OID, &[0x2a, 3]).into_tlv(tag::SEQUENCE);
        let validity = Constructed::new().with(0x17, b"500101000000Z").with(0x18, b"20491231235959Z");
        let key = Constructed::new().with_encoded(&algorithm).with(tag::BIT_STRING, &[0, 1, 2]);
        let tbs = Constructed::new()
            .with(0x02, &[1, 2, 3])
            .with_encoded(&algorithm)
            .with_encoded(&name(issuer))
            .with_encoded(&validity.into_tlv(tag::SEQUENCE))
            .with_encoded(&name(subject))
            .with_encoded(&key.into_tlv(tag::SEQUENCE));
        let whole = Constructed::new().with_encoded(&tbs.into_tlv(tag::SEQUENCE)).with_encoded(&algorithm);
        whole.with(tag::BIT_STRING, &[0, 9]).into_tlv(tag::SEQUENCE)
    }

    #[test]
    fn a_chain_goes_with_its_leaf() {
        let chain = vec![encoded("leaf", "middle"), encoded("middle", "root")];
        let leaf = make(&chain).unwrap();
        let held = certificate(leaf).unwrap();
        assert_eq!(held.chain, chain);
        assert!(held.key.is_none());
        // SAFETY: it was made and is not freed yet.
        let (context, info) = unsafe { (*leaf, *(*leaf).pCertInfo) };
        assert_eq!(store(context.hCertStore).unwrap(), chain);
        assert_eq!(context.cbCertEncoded as usize, chain[0].len());
        // SAFETY: the bytes are the certificate's.
        assert_eq!(unsafe { std::slice::from_raw_parts(info.SerialNumber.pbData, 3) }, [3, 2, 1]);
        let ticks = |time: FileTime| u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
        assert_eq!(ticks(info.NotBefore), (11_644_473_600 - 631_152_000) * 10_000_000, "1950");
        assert_eq!(certificate::free(leaf), Ok(()));
        assert_eq!(certificate::free(leaf), Err(Fault::INVALID_HANDLE));
        assert_eq!(certificate(leaf).err(), Some(Code::UNKNOWN_CREDENTIALS));
        assert_eq!(store(context.hCertStore).err(), Some(Code::INVALID_HANDLE));
        assert_eq!(make(&[]).err(), Some(Code::NO_CREDENTIALS));
        assert_eq!(make(&[vec![1]]).err(), Some(Code::INTERNAL_ERROR));
    }

    #[test]
    fn the_chain_of_a_store_and_the_key() {
        let key = Key::of_der(library::Secret::new(vec![0x30, 5, 2, 1, 0, 0x30, 0])).unwrap();
        let own = property::Properties::new(Some(Arc::new(key)), None);
        let (opened, leaf) = {
            let mut registry = registry::registry();
            let opened = registry.open_store(1);
            for (subject, issuer) in [("root", "root"), ("other", "root"), ("middle", "root")] {
                registry.insert(opened, registry::Given::bare(&encoded(subject, issuer))).unwrap();
            }
            let encoded = encoded("leaf", "middle");
            let given = registry::Given { properties: own, ..registry::Given::bare(&encoded) };
            let leaf = registry.insert(opened, given).unwrap();
            (opened, registry.hold(leaf))
        };
        let held = certificate(leaf).unwrap();
        assert_eq!(held.chain, [encoded("leaf", "middle"), encoded("middle", "root")], "without the root");
        let key = held.key.unwrap();
        assert_eq!((key.kind, key.der.expose().len()), (KeyKind::Pkcs8, 7));
        assert_eq!(store(std::ptr::without_provenance_mut(opened)).unwrap().len(), 4);
        assert_eq!(store::close(opened, 2), Err(Fault(0x8009_200F)), "someone has a context of it");
        assert_eq!(store::close(opened, 0), Err(Fault::INVALID_HANDLE));
        assert_eq!(certificate(leaf).unwrap().chain.len(), 2);
        assert_eq!(certificate::free(leaf), Ok(()));
        assert!(store(std::ptr::without_provenance_mut(opened)).is_err());
    }
}
