//! X.509 certificates (RFC 5280), read: what a channel binding hashes, and by what an account is found.
//!
//! Nothing is verified here: no signature, no time, no chain. A [`Certificate`] borrows from its bytes; extensions are
//! read when they are asked for, so that one that is malformed spoils only what needs it.

mod algorithm;
mod alt_name;
mod alt_security_identity;
mod extension;
mod name;
mod name_text;
mod normal_name;
mod sid;
mod time;

pub use algorithm::{AlgorithmIdentifier, SignatureHash};
pub use alt_name::{GeneralName, GeneralNames};
pub use alt_security_identity::{AltSecurityIdentity, Form, NotAnIdentity};
pub use extension::{Extension, Extensions, oid};
pub use name::Name;
pub use normal_name::{Attribute, NormalName, NotAName, Value};

use crate::der::{Der, tag};
use crate::{Error, Kind};
use std::time::SystemTime;

/// The largest certificate that is read.
pub const MAX_LEN: usize = 64 * 1024;

/// A certificate (RFC 5280 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Certificate<'a> {
    /// The certificate as it came.
    pub raw: &'a [u8],
    /// What is signed, header and content.
    pub tbs: &'a [u8],
    /// The version: 1, 2 or 3.
    pub version: u8,
    /// The serial number's bytes, big-endian, in two's complement, as they stand.
    pub serial: &'a [u8],
    /// Who issued it.
    pub issuer: Name<'a>,
    /// Whose it is.
    pub subject: Name<'a>,
    /// When it begins to be valid.
    pub not_before: SystemTime,
    /// Its last moment.
    pub not_after: SystemTime,
    /// The public key.
    pub public_key: PublicKey<'a>,
    /// How it is signed.
    pub signature_algorithm: AlgorithmIdentifier<'a>,
    /// The signature.
    pub signature: &'a [u8],
    /// What tells issuers of one name apart; RFC 5280 §4.1.2.8 has nobody use it.
    pub issuer_unique_id: Option<BitString<'a>>,
    /// What tells subjects of one name apart; as little used.
    pub subject_unique_id: Option<BitString<'a>>,
    extensions: Extensions<'a>,
}

/// Bits that need not be whole bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BitString<'a> {
    /// The bytes they stand in.
    pub bytes: &'a [u8],
    /// How many bits of the last byte are not of them: 0 to 7.
    pub unused: u8,
}

/// A public key (SubjectPublicKeyInfo, RFC 5280 §4.1.2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey<'a> {
    /// The SubjectPublicKeyInfo, header and content.
    pub raw: &'a [u8],
    /// Which kind of key, with its parameters.
    pub algorithm: AlgorithmIdentifier<'a>,
    /// The key itself: the content of the BIT STRING, without its count of unused bits.
    pub bits: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Decodes a certificate in DER.
    ///
    /// # Errors
    /// With the offset and the field: not DER, a field out of order, names that are no text, an extension that stands
    /// there twice, bytes behind the certificate, or more than [`MAX_LEN`] of them.
    pub fn decode(raw: &'a [u8]) -> Result<Self, Error> {
        if raw.len() > MAX_LEN {
            return Err(Error::new(0, "Certificate", Kind::TooLarge));
        }
        let mut der = Der::new(raw);
        let mut certificate = der.take(tag::SEQUENCE, "Certificate")?;
        der.finish("Certificate")?;
        let (tbs, mut body) = certificate.whole(tag::SEQUENCE, "tbsCertificate")?;
        let at = certificate.offset();
        let signature_algorithm = AlgorithmIdentifier::read(&mut certificate, "signatureAlgorithm")?;
        let signature = certificate.whole_bits("signatureValue")?;
        certificate.finish("Certificate")?;

        let version = read_version(&mut body)?;
        let serial = read_serial(&mut body)?;
        // What says how it is signed must itself be signed (RFC 5280 §4.1.1.2).
        if AlgorithmIdentifier::read(&mut body, "signature")? != signature_algorithm {
            return Err(Error::new(at, "signatureAlgorithm", Kind::Unexpected));
        }
        let issuer = Name::read(&mut body, "issuer")?;
        let (not_before, not_after) = read_validity(&mut body)?;
        let subject = Name::read(&mut body, "subject")?;
        let public_key = read_public_key(&mut body)?;
        let issuer_unique_id = read_unique_id(&mut body, 1, "issuerUniqueID")?;
        let subject_unique_id = read_unique_id(&mut body, 2, "subjectUniqueID")?;
        let extensions = Extensions::read(&mut body, version)?;
        body.finish("tbsCertificate")?;
        Ok(Self {
            raw,
            tbs,
            version,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            public_key,
            signature_algorithm,
            signature,
            issuer_unique_id,
            subject_unique_id,
            extensions,
        })
    }

    /// The serial number without its sign, the most significant byte first and not zero (but for zero itself); `None`
    /// for a negative one, which RFC 5280 §4.1.2.2 forbids and some issuers made.
    pub fn serial_magnitude(&self) -> Option<&'a [u8]> {
        match self.serial {
            [0, rest @ ..] if !rest.is_empty() => Some(rest),
            [0..0x80, ..] => Some(self.serial),
            _ => None,
        }
    }

    /// The hash of the signature; `None` where it has none of its own (Ed25519), or none that is known here.
    pub fn signature_hash(&self) -> Option<SignatureHash> {
        self.signature_algorithm.signature_hash()
    }

    /// The extensions, each once.
    pub fn extensions(&self) -> Extensions<'a> {
        self.extensions
    }

    /// The extension with this OID.
    pub fn extension(&self, oid: crate::der::Oid<'_>) -> Option<Extension<'a>> {
        self.extensions().find(|extension| extension.oid == oid)
    }

    /// The subject's key identifier (RFC 5280 §4.2.1.2).
    ///
    /// # Errors
    /// Where the extension is malformed.
    pub fn subject_key_identifier(&self) -> Result<Option<&'a [u8]>, Error> {
        let Some(extension) = self.extension(oid::SUBJECT_KEY_IDENTIFIER) else { return Ok(None) };
        let mut der = extension.der();
        let bytes = der.bytes(tag::OCTET_STRING, "subjectKeyIdentifier")?;
        der.finish("subjectKeyIdentifier").map(|()| Some(bytes))
    }

    /// The subject's other names (RFC 5280 §4.2.1.6); none where there is no such extension.
    ///
    /// # Errors
    /// Where the extension is malformed, in any of its names.
    pub fn subject_alt_names(&self) -> Result<GeneralNames<'a>, Error> {
        match self.extension(oid::SUBJECT_ALT_NAME) {
            Some(extension) => GeneralNames::read(&extension.der()),
            None => Ok(GeneralNames::none()),
        }
    }

    /// The user principal name among the subject's other names.
    ///
    /// # Errors
    /// Where those are malformed, or several such names stand there that differ.
    pub fn user_principal_name(&self) -> Result<Option<&'a str>, Error> {
        self.subject_alt_names()?.user_principal_name()
    }

    /// The account's SID as an enterprise CA writes it (szOID_NTDS_CA_SECURITY_EXT, KB5014754).
    ///
    /// # Errors
    /// Where the extension is malformed, or names several.
    pub fn sid_extension(&self) -> Result<Option<crate::sid::Sid>, Error> {
        self.extension(oid::NTDS_CA_SECURITY).map_or(Ok(None), |extension| sid::read_extension(&extension.der()))
    }

    /// The account's SID in a URI among the subject's other names: `tag:microsoft.com,2022-09-14:sid:<SID>`
    /// (KB5014754).
    ///
    /// # Errors
    /// Where those are malformed, or the URI holds no SID, or several stand there that differ.
    pub fn sid_uri(&self) -> Result<Option<crate::sid::Sid>, Error> {
        let Some(extension) = self.extension(oid::SUBJECT_ALT_NAME) else { return Ok(None) };
        sid::among(self.subject_alt_names()?, extension.offset)
    }

    /// Whether it may issue others (RFC 5280 §4.2.1.9).
    ///
    /// # Errors
    /// Where the extension is malformed.
    pub fn basic_constraints_ca(&self) -> Result<bool, Error> {
        const FIELD: &str = "basicConstraints";
        let Some(extension) = self.extension(oid::BASIC_CONSTRAINTS) else { return Ok(false) };
        let mut der = extension.der();
        let mut fields = der.take(tag::SEQUENCE, FIELD)?;
        der.finish(FIELD)?;
        let ca = fields.optional_boolean("cA")?.unwrap_or(false);
        if fields.peek().is_some() {
            fields.integer("pathLenConstraint")?;
        }
        fields.finish(FIELD).map(|()| ca)
    }
}

fn read_version(body: &mut Der<'_>) -> Result<u8, Error> {
    let at = body.offset();
    let Some(mut explicit) = body.optional(tag::context(0), "version")? else { return Ok(1) };
    let version = match explicit.integer("version")? {
        // Version 1 is the default and stands there in some certificates all the same.
        [number @ 0..=2] => number + 1,
        _ => return Err(Error::new(at, "version", Kind::Unexpected)),
    };
    explicit.finish("version").map(|()| version)
}

/// RFC 5280 §4.1.2.2 allows 20 bytes; what issuers got wrong is longer by a few.
const MAX_SERIAL: usize = 64;

fn read_serial<'a>(body: &mut Der<'a>) -> Result<&'a [u8], Error> {
    let at = body.offset();
    let serial = body.integer("serialNumber")?;
    if serial.len() > MAX_SERIAL { Err(Error::new(at, "serialNumber", Kind::TooLarge)) } else { Ok(serial) }
}

fn read_validity(body: &mut Der<'_>) -> Result<(SystemTime, SystemTime), Error> {
    let mut validity = body.take(tag::SEQUENCE, "validity")?;
    let times = (time::read(&mut validity, "notBefore")?, time::read(&mut validity, "notAfter")?);
    validity.finish("validity").map(|()| times)
}

fn read_public_key<'a>(body: &mut Der<'a>) -> Result<PublicKey<'a>, Error> {
    const FIELD: &str = "subjectPublicKeyInfo";
    let (raw, mut info) = body.whole(tag::SEQUENCE, FIELD)?;
    let algorithm = AlgorithmIdentifier::read(&mut info, "algorithm")?;
    let bits = info.whole_bits("subjectPublicKey")?;
    info.finish(FIELD).map(|()| PublicKey { raw, algorithm, bits })
}

fn read_unique_id<'a>(body: &mut Der<'a>, number: u8, field: &'static str) -> Result<Option<BitString<'a>>, Error> {
    let at = body.offset();
    let Some(content) = body.optional(tag::context_primitive(number), field)? else { return Ok(None) };
    match content.rest() {
        [0, bytes @ ..] => Ok(Some(BitString { bytes, unused: 0 })),
        [unused @ 1..=7, bytes @ ..] if !bytes.is_empty() => Ok(Some(BitString { bytes, unused: *unused })),
        _ => Err(Error::new(at, field, Kind::Unexpected)),
    }
}
