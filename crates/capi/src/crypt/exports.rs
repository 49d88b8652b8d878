//! The functions by their names in `wincrypt.h`. Nothing in the library calls them: who is in front of it with the same names
//! (libwinpr2 has some) gets the host's calls and none of ours.

use super::fault::{self, Fault, answer};
use super::find::Search;
use super::layout::{Blob, CertContext};
use super::name::{self, Wanted};
use super::{certificate, hash, pfx, property, provider, store};
use crate::text::{Ansi, Wide};
use std::ffi::{c_char, c_void};
use std::ptr::{null, null_mut, without_provenance_mut};

/// TRUE.
const TRUE: i32 = 1;

/// Declares functions: `name(arguments) -> kind, or failed { body }`.
macro_rules! exports {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $kind:ty),* $(,)?) -> $answer:ty, or $failed:expr; $body:block)*) => { $(
        $(#[$doc])*
        ///
        /// # Safety
        /// As the header says: pointers are null where they may be, or hold.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($argument: $kind),*) -> $answer {
            // SAFETY: what the header asks of callers is what the body needs.
            #[allow(unused_unsafe, reason = "some bodies follow no pointer")]
            answer($failed, || -> Result<$answer, Fault> { unsafe { $body } })
        }
    )* };
}

exports! {
    /// Why this thread's last function of wincrypt.h failed.
    PortcullisGetLastError() -> u32, or 0; {
        Ok(fault::last())
    }
    /// A certificate, with its key and chain, from files.
    PortcullisCertificateFromPem(certificates: *const c_char, key: *const c_char) -> *const CertContext, or null(); {
        certificate::of_files(certificates.cast(), key.cast())
    }
    /// As PortcullisCertificateFromPem, from memory.
    PortcullisCertificateFromMemory(
        certificates: *const u8, len: u32, key: *const u8, key_len: u32,
    ) -> *const CertContext, or null(); {
        certificate::of_memory(certificates, len, key, key_len)
    }

    /// A certificate by its bytes.
    CertCreateCertificateContext(kind: u32, encoded: *const u8, len: u32) -> *const CertContext, or null(); {
        certificate::create(kind, encoded, len)
    }
    /// The same context, to be freed once more.
    CertDuplicateCertificateContext(context: *const CertContext) -> *const CertContext, or null(); {
        certificate::duplicate(context)
    }
    /// Gives a context back.
    CertFreeCertificateContext(context: *const CertContext) -> i32, or 0; {
        certificate::free(context).map(|()| TRUE)
    }
    /// What is known of a certificate.
    CertGetCertificateContextProperty(
        context: *const CertContext, id: u32, data: *mut c_void, size: *mut u32,
    ) -> i32, or 0; {
        property::get(context, id, data.cast(), size).map(|()| TRUE)
    }
    /// Says more of a certificate.
    CertSetCertificateContextProperty(
        context: *const CertContext, id: u32, flags: u32, data: *const c_void,
    ) -> i32, or 0; {
        property::set(context, id, flags, data.cast()).map(|()| TRUE)
    }

    /// A new store.
    CertOpenStore(
        provider: *const c_char, _encoding: u32, _crypt: usize, _flags: u32, parameter: *const c_void,
    ) -> *mut c_void, or null_mut(); {
        store::open(provider.cast(), parameter).map(without_provenance_mut)
    }
    /// The same store, to be closed once more.
    CertDuplicateStore(store: *mut c_void) -> *mut c_void, or null_mut(); {
        store::duplicate(store.addr()).map(without_provenance_mut)
    }
    /// Closes a store.
    CertCloseStore(store: *mut c_void, flags: u32) -> i32, or 0; {
        store::close(store.addr(), flags).map(|()| TRUE)
    }
    /// A copy of a certificate into a store.
    CertAddCertificateContextToStore(
        store: *mut c_void, context: *const CertContext, disposition: u32, added: *mut *const CertContext,
    ) -> i32, or 0; {
        store::add(store.addr(), context, disposition, added).map(|()| TRUE)
    }
    /// A certificate by its bytes into a store.
    CertAddEncodedCertificateToStore(
        store: *mut c_void, kind: u32, encoded: *const u8, len: u32, disposition: u32, added: *mut *const CertContext,
    ) -> i32, or 0; {
        store::add_encoded(store.addr(), kind, (encoded, len), disposition, added).map(|()| TRUE)
    }
    /// The certificate behind another one; gives that back.
    CertEnumCertificatesInStore(
        store: *mut c_void, previous: *const CertContext,
    ) -> *const CertContext, or null(); {
        store::next(store.addr(), Ok(Search::Any), previous)
    }
    /// The certificate behind another one that is looked for; gives that back.
    CertFindCertificateInStore(
        store: *mut c_void, _encoding: u32, _flags: u32, kind: u32, parameter: *const c_void,
        previous: *const CertContext,
    ) -> *const CertContext, or null(); {
        store::next(store.addr(), Search::of(kind, parameter), previous)
    }
    /// Takes a certificate out of its store, and gives the context back.
    CertDeleteCertificateFromStore(context: *const CertContext) -> i32, or 0; {
        store::delete(context).map(|()| TRUE)
    }

    /// A name as text.
    CertNameToStrA(_encoding: u32, name: *const Blob, how: u32, text: *mut c_char, room: u32) -> u32, or 0; {
        name::to_text::<Ansi>(name, how, text.cast(), room)
    }
    /// As CertNameToStrA.
    CertNameToStrW(_encoding: u32, name: *const Blob, how: u32, text: *mut u16, room: u32) -> u32, or 0; {
        name::to_text::<Wide>(name, how, text.cast(), room)
    }
    /// A name of a certificate.
    CertGetNameStringA(
        context: *const CertContext, kind: u32, flags: u32, parameter: *const c_void, text: *mut c_char, room: u32,
    ) -> u32, or 0; {
        Wanted { context, kind, flags, parameter }.put::<Ansi>(text.cast(), room)
    }
    /// As CertGetNameStringA.
    CertGetNameStringW(
        context: *const CertContext, kind: u32, flags: u32, parameter: *const c_void, text: *mut u16, room: u32,
    ) -> u32, or 0; {
        Wanted { context, kind, flags, parameter }.put::<Wide>(text.cast(), room)
    }

    /// A store of a PKCS#12 file's certificates.
    PFXImportCertStore(pfx: *const Blob, password: *const u16, _flags: u32) -> *mut c_void, or null_mut(); {
        pfx::import(pfx, password.cast()).map(without_provenance_mut)
    }
    /// Whether something may be a PKCS#12 file.
    PFXIsPFXBlob(pfx: *const Blob) -> i32, or 0; {
        pfx::is_one(pfx).map(|()| TRUE)
    }
    /// Whether a password is a PKCS#12 file's.
    PFXVerifyPassword(pfx: *const Blob, password: *const u16, _flags: u32) -> i32, or 0; {
        pfx::verify(pfx, password.cast()).map(|()| TRUE)
    }

    /// A key container.
    CryptAcquireContextA(
        handle: *mut usize, container: *const c_char, _provider: *const c_char, _kind: u32, flags: u32,
    ) -> i32, or 0; {
        provider::acquire::<Ansi>(handle, container.cast(), flags).map(|()| TRUE)
    }
    /// As CryptAcquireContextA.
    CryptAcquireContextW(
        handle: *mut usize, container: *const u16, _provider: *const u16, _kind: u32, flags: u32,
    ) -> i32, or 0; {
        provider::acquire::<Wide>(handle, container.cast(), flags).map(|()| TRUE)
    }
    /// Gives a container's handle back.
    CryptReleaseContext(provider: usize, _flags: u32) -> i32, or 0; {
        provider::release(provider).map(|()| TRUE)
    }
    /// A private key into a container.
    CryptImportKey(
        provider: usize, blob: *const u8, len: u32, _wrapped_by: usize, _flags: u32, key: *mut usize,
    ) -> i32, or 0; {
        provider::import(provider, blob, len, key).map(|()| TRUE)
    }
    /// Gives a key's handle back; its container has the key.
    CryptDestroyKey(key: usize) -> i32, or 0; {
        provider::destroy_key(key).map(|()| TRUE)
    }
    /// The hash of a certificate.
    CryptHashCertificate(
        _provider: usize, algorithm: u32, _flags: u32, encoded: *const u8, len: u32, computed: *mut u8,
        size: *mut u32,
    ) -> i32, or 0; {
        hash::hash(algorithm, encoded, len, computed, size).map(|()| TRUE)
    }
}
