//! A certificate as C sees it: CERT_CONTEXT and all that it points to, in one piece of memory that stays where it is.

use super::fault::Fault;
use super::layout::{
    AlgorithmIdentifier, BitBlob, Blob, CertContext, CertExtension, CertInfo, FileTime, PublicKeyInfo, X509,
};
use portcullis_wire::der::Oid;
use portcullis_wire::filetime;
use portcullis_wire::x509::{AlgorithmIdentifier as Algorithm, BitString, Certificate};
use std::ffi::CString;
use std::ptr::{NonNull, null_mut};

/// Owns the memory behind a PCCERT_CONTEXT.
pub(crate) struct Shown(NonNull<Block>);

/// The context stands first, so that its address is the block's.
#[repr(C)]
struct Block {
    context: CertContext,
    info: CertInfo,
    encoded: Vec<u8>,
    /// The serial number from its least significant byte on.
    _serial: Vec<u8>,
    _oids: Vec<CString>,
    _extensions: Vec<CertExtension>,
}

// SAFETY: the block is not changed after it was made, and its pointers lead into itself.
unsafe impl Send for Shown {}

impl Shown {
    /// A certificate of a store; zero for none.
    pub(crate) fn new(encoded: &[u8], store: usize) -> Result<Self, Fault> {
        let encoded = encoded.to_vec();
        let parsed = Certificate::decode(&encoded)?;
        let mut oids = Vec::new();
        let mut serial: Vec<u8> = parsed.serial.iter().rev().copied().collect();
        let mut extensions: Vec<CertExtension> = Vec::new();
        for extension in parsed.extensions() {
            extensions.push(CertExtension {
                pszObjId: text(extension.oid, &mut oids)?,
                fCritical: i32::from(extension.critical),
                Value: blob(extension.value)?,
            });
        }
        let info = CertInfo {
            // Counted from zero.
            dwVersion: u32::from(parsed.version).saturating_sub(1),
            SerialNumber: Blob { cbData: len(&serial)?, pbData: serial.as_mut_ptr() },
            SignatureAlgorithm: algorithm(&parsed.signature_algorithm, &mut oids)?,
            Issuer: blob(parsed.issuer.raw())?,
            NotBefore: FileTime::new(filetime::from_system(parsed.not_before)),
            NotAfter: FileTime::new(filetime::from_system(parsed.not_after)),
            Subject: blob(parsed.subject.raw())?,
            SubjectPublicKeyInfo: PublicKeyInfo {
                Algorithm: algorithm(&parsed.public_key.algorithm, &mut oids)?,
                PublicKey: bits(Some(BitString { bytes: parsed.public_key.bits, unused: 0 }))?,
            },
            IssuerUniqueId: bits(parsed.issuer_unique_id)?,
            SubjectUniqueId: bits(parsed.subject_unique_id)?,
            cExtension: u32::try_from(extensions.len()).map_err(|_| Fault::BAD_ENCODE)?,
            rgExtension: if extensions.is_empty() { null_mut() } else { extensions.as_mut_ptr() },
        };
        let context = CertContext {
            dwCertEncodingType: X509,
            pbCertEncoded: encoded.as_ptr().cast_mut(),
            cbCertEncoded: len(&encoded)?,
            pCertInfo: null_mut(),
            // A handle is a number: nobody follows it.
            hCertStore: std::ptr::without_provenance_mut(store),
        };
        // What the vectors hold does not move with them.
        let block = Block { context, info, encoded, _serial: serial, _oids: oids, _extensions: extensions };
        let block = NonNull::from(Box::leak(Box::new(block)));
        // SAFETY: the block was made above, and nobody else has it yet.
        unsafe { (*block.as_ptr()).context.pCertInfo = &raw mut (*block.as_ptr()).info };
        Ok(Self(block))
    }

    /// For the caller.
    pub(crate) fn pointer(&self) -> *const CertContext {
        self.0.as_ptr().cast()
    }

    pub(crate) fn encoded(&self) -> &[u8] {
        // SAFETY: the block lives as long as this, and its bytes are not changed.
        unsafe { &(*self.0.as_ptr()).encoded }
    }

    /// Its parts once more.
    pub(crate) fn parsed(&self) -> Result<Certificate<'_>, Fault> {
        Ok(Certificate::decode(self.encoded())?)
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        // SAFETY: `new` leaked the box, and this is its only owner.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

fn len(bytes: &[u8]) -> Result<u32, Fault> {
    u32::try_from(bytes.len()).map_err(|_| Fault::BAD_ENCODE)
}

/// Bytes of the certificate, which callers only read although the structure does not say so.
fn blob(bytes: &[u8]) -> Result<Blob, Fault> {
    let at = if bytes.is_empty() { null_mut() } else { bytes.as_ptr().cast_mut() };
    Ok(Blob { cbData: len(bytes)?, pbData: at })
}

fn bits(bits: Option<BitString<'_>>) -> Result<BitBlob, Fault> {
    let BitString { bytes, unused } = bits.unwrap_or(BitString { bytes: &[], unused: 0 });
    let Blob { cbData, pbData } = blob(bytes)?;
    Ok(BitBlob { cbData, pbData, cUnusedBits: u32::from(unused) })
}

/// An OID in dotted form, kept in `oids`.
fn text(oid: Oid<'_>, oids: &mut Vec<CString>) -> Result<*mut std::ffi::c_char, Fault> {
    let dotted = CString::new(oid.to_string()).map_err(|_| Fault::BAD_ENCODE)?;
    let at = dotted.as_ptr().cast_mut();
    oids.push(dotted);
    Ok(at)
}

fn algorithm(algorithm: &Algorithm<'_>, oids: &mut Vec<CString>) -> Result<AlgorithmIdentifier, Fault> {
    Ok(AlgorithmIdentifier { pszObjId: text(algorithm.oid, oids)?, Parameters: blob(algorithm.parameters)? })
}
