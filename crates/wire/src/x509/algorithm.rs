use crate::Error;
use crate::der::{Der, Oid, tag};

/// An algorithm and its parameters (RFC 5280 §4.1.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlgorithmIdentifier<'a> {
    /// The algorithm.
    pub oid: Oid<'a>,
    /// Its parameters in DER, header and content; empty where there are none.
    pub parameters: &'a [u8],
}

/// The hash that a signature is made over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureHash {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl<'a> AlgorithmIdentifier<'a> {
    pub(super) fn read(der: &mut Der<'a>, field: &'static str) -> Result<Self, Error> {
        let mut fields = der.take(tag::SEQUENCE, field)?;
        let oid = fields.oid(field)?;
        let parameters = fields.rest();
        if fields.peek().is_some() {
            fields.any(field)?;
        }
        fields.finish(field).map(|()| Self { oid, parameters })
    }

    /// The hash of a signature by this algorithm; `None` where it has none of its own (Ed25519), or none that is known
    /// here. PSS says its hash in its parameters (RFC 4055 §3.1); malformed ones say none.
    pub fn signature_hash(&self) -> Option<SignatureHash> {
        if self.oid.0 == PSS {
            return pss_hash(self.parameters);
        }
        SIGNATURES.iter().find(|(oid, _)| *oid == self.oid.0).map(|(_, hash)| *hash)
    }
}

/// id-RSASSA-PSS, 1.2.840.113549.1.1.10.
const PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];

/// Signatures whose OID names the hash: RSA PKCS#1 (RFC 8017 §A.2.4, 1.2.840.113549.1.1 and OIW's 1.3.14.3.2.29),
/// ECDSA (RFC 5758 §3.2, 1.2.840.10045.4), DSA (RFC 5758 §3.1).
const SIGNATURES: &[(&[u8], SignatureHash)] = &[
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04], SignatureHash::Md5),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05], SignatureHash::Sha1),
    (&[0x2b, 0x0e, 0x03, 0x02, 0x1d], SignatureHash::Sha1),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0e], SignatureHash::Sha224),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b], SignatureHash::Sha256),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c], SignatureHash::Sha384),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d], SignatureHash::Sha512),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01], SignatureHash::Sha1),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x01], SignatureHash::Sha224),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02], SignatureHash::Sha256),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03], SignatureHash::Sha384),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04], SignatureHash::Sha512),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03], SignatureHash::Sha1),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x01], SignatureHash::Sha224),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x02], SignatureHash::Sha256),
];

/// Hashes by themselves (RFC 4055 §2.1; MD5 of RFC 8017 §B.1).
const HASHES: &[(&[u8], SignatureHash)] = &[
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05], SignatureHash::Md5),
    (&[0x2b, 0x0e, 0x03, 0x02, 0x1a], SignatureHash::Sha1),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04], SignatureHash::Sha224),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01], SignatureHash::Sha256),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02], SignatureHash::Sha384),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03], SignatureHash::Sha512),
];

/// The hash of RSASSA-PSS-params; SHA-1 where they do not say.
fn pss_hash(parameters: &[u8]) -> Option<SignatureHash> {
    const FIELD: &str = "RSASSA-PSS-params";
    let mut der = Der::new(parameters);
    if der.peek().is_none() {
        return Some(SignatureHash::Sha1);
    }
    let mut fields = der.take(tag::SEQUENCE, FIELD).ok()?;
    der.finish(FIELD).ok()?;
    let Some(mut explicit) = fields.optional(tag::context(0), FIELD).ok()? else { return Some(SignatureHash::Sha1) };
    let hash = AlgorithmIdentifier::read(&mut explicit, FIELD).ok()?;
    explicit.finish(FIELD).ok()?;
    HASHES.iter().find(|(oid, _)| *oid == hash.oid.0).map(|(_, hash)| *hash)
}
