//! The structures of `wincrypt.h`, as C lays them out. Their sizes and offsets are checked against the header by the
//! compiler (`tests/c/layout_crypt.c`), and against these by the tests below.
#![allow(missing_docs, non_snake_case, reason = "names and fields are those of wincrypt.h")]

use std::ffi::{c_char, c_void};

/// CRYPTOAPI_BLOB under all its names.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blob {
    pub(crate) cbData: u32,
    pub(crate) pbData: *mut u8,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct BitBlob {
    pub(crate) cbData: u32,
    pub(crate) pbData: *mut u8,
    pub(crate) cUnusedBits: u32,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct AlgorithmIdentifier {
    pub(crate) pszObjId: *mut c_char,
    pub(crate) Parameters: Blob,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileTime {
    pub(crate) dwLowDateTime: u32,
    pub(crate) dwHighDateTime: u32,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct PublicKeyInfo {
    pub(crate) Algorithm: AlgorithmIdentifier,
    pub(crate) PublicKey: BitBlob,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct CertExtension {
    pub(crate) pszObjId: *mut c_char,
    pub(crate) fCritical: i32,
    pub(crate) Value: Blob,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct CertInfo {
    pub(crate) dwVersion: u32,
    pub(crate) SerialNumber: Blob,
    pub(crate) SignatureAlgorithm: AlgorithmIdentifier,
    pub(crate) Issuer: Blob,
    pub(crate) NotBefore: FileTime,
    pub(crate) NotAfter: FileTime,
    pub(crate) Subject: Blob,
    pub(crate) SubjectPublicKeyInfo: PublicKeyInfo,
    pub(crate) IssuerUniqueId: BitBlob,
    pub(crate) SubjectUniqueId: BitBlob,
    pub(crate) cExtension: u32,
    pub(crate) rgExtension: *mut CertExtension,
}

#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct CertContext {
    pub(crate) dwCertEncodingType: u32,
    pub(crate) pbCertEncoded: *mut u8,
    pub(crate) cbCertEncoded: u32,
    pub(crate) pCertInfo: *mut CertInfo,
    pub(crate) hCertStore: *mut c_void,
}

/// CERT_KEY_CONTEXT.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyContext {
    pub(crate) cbSize: u32,
    pub(crate) hCryptProv: usize,
    pub(crate) dwKeySpec: u32,
}

/// CRYPT_KEY_PROV_INFO.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyProvInfo {
    pub(crate) pwszContainerName: *mut u16,
    pub(crate) pwszProvName: *mut u16,
    pub(crate) dwProvType: u32,
    pub(crate) dwFlags: u32,
    pub(crate) cProvParam: u32,
    pub(crate) rgProvParam: *mut c_void,
    pub(crate) dwKeySpec: u32,
}

impl FileTime {
    pub(crate) const fn new(ticks: u64) -> Self {
        Self { dwLowDateTime: ticks as u32, dwHighDateTime: (ticks >> 32) as u32 }
    }
}

/// X509_ASN_ENCODING: the only one there is.
pub(crate) const X509: u32 = 1;
/// AT_KEYEXCHANGE.
pub(crate) const EXCHANGE: u32 = 1;
/// AT_SIGNATURE.
pub(crate) const SIGNATURE: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::{offset_of, size_of};

    #[test]
    fn sizes_and_offsets() {
        assert_eq!(size_of::<CertContext>(), 40);
        assert_eq!(offset_of!(CertContext, pCertInfo), 24);
        assert_eq!(size_of::<CertInfo>(), 208);
        assert_eq!(offset_of!(CertInfo, NotBefore), 64);
        assert_eq!(offset_of!(CertInfo, SubjectPublicKeyInfo), 96);
        assert_eq!(offset_of!(CertInfo, rgExtension), 200);
        assert_eq!(size_of::<CertExtension>(), 32);
        assert_eq!(size_of::<KeyContext>(), 24);
        assert_eq!(size_of::<KeyProvInfo>(), 48);
    }
}
