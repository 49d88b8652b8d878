use super::cause::Cause;
use super::engine;
use crate::{ChannelBindings, Secret};
use aws_lc_rs::digest;
use portcullis_wire::x509::{self, GeneralName, SignatureHash};
use rustls::SignatureScheme;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// A certificate, those above it, and its key.
#[derive(Clone)]
pub struct Identity {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) chain: Arc<Vec<Vec<u8>>>,
    pub(super) end_point: Arc<ChannelBindings>,
    names: Vec<String>,
    not_after: SystemTime,
}

/// Why bytes are no [`Identity`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentityError {
    /// There is no certificate in them.
    NoCertificate,
    /// There is no key in them.
    NoKey,
    /// The key is sealed under a password.
    KeySealed,
    /// The key is of a kind, or in a form, that is not known.
    KeyUnknown,
    /// The key is another certificate's.
    KeyOfAnother,
    /// The certificate is none that TLS can use.
    CertificateUnusable,
    /// There is no revocation list in them.
    NoRevocationList,
    /// The PKCS#12 file has no key.
    NoKeyInside,
    /// The certificate cannot be read; where is said.
    Malformed(portcullis_wire::Error),
    /// A PEM file that cannot be read.
    Pem,
    /// A PKCS#12 file that cannot be read, or another password.
    Pkcs12,
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCertificate => "it holds no certificate (`-----BEGIN CERTIFICATE-----`)",
            Self::NoKey => "it holds no private key (`-----BEGIN PRIVATE KEY-----`)",
            Self::KeySealed => "its private key is sealed under a password; write it without one: `openssl pkey -in KEY -out PLAIN`",
            Self::KeyUnknown => "its private key is of a kind that is not known here: RSA from 2048 bits, ECDSA on P-256, P-384 or P-521 and Ed25519 are",
            Self::KeyOfAnother => "the private key is not the certificate's; the certificate must be the first of its file",
            Self::CertificateUnusable => {
                "its certificate is of version 1, or otherwise none that TLS can use; make one with extensions: `openssl x509 -req -extfile FILE` with a subjectAltName in FILE"
            }
            Self::NoRevocationList => "it holds no revocation list (`-----BEGIN X509 CRL-----`)",
            Self::NoKeyInside => "this PKCS#12 file holds no private key with its certificate",
            Self::Malformed(error) => return write!(f, "its certificate cannot be read: {error}"),
            Self::Pem => "it is no PEM file",
            Self::Pkcs12 => "it is neither PEM nor PKCS#12 (a certificate in DER alone has no key), or its password is another one",
        })
    }
}

impl std::error::Error for IdentityError {}

impl Identity {
    /// The identity in a text of PEM: certificates, the server's own first, and one private key (PKCS#8, PKCS#1 or
    /// SEC 1), which may stand in a text of its own.
    ///
    /// # Errors
    /// With what is missing or wrong.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        let chain = certificates_in_pem(certificates)?;
        Self::new(chain, key_in_pem(key)?)
    }

    /// The identity in a PKCS#12 file.
    ///
    /// # Errors
    /// With what is missing or wrong.
    pub fn from_pkcs12(file: &[u8], password: &Secret<String>) -> Result<Self, IdentityError> {
        let store =
            p12_keystore::KeyStore::from_pkcs12(file, password.expose(), p12_keystore::Pkcs12ImportPolicy::Strict)
                .map_err(|_| IdentityError::Pkcs12)?;
        let (_, entry) = store.private_key_chain().ok_or(IdentityError::NoKeyInside)?;
        let chain = entry.certs().iter().map(|certificate| certificate.as_der().to_vec()).collect();
        Self::from_der(chain, entry.key().as_der())
    }

    /// The identity of certificates in DER, the server's own first, and a key in DER (PKCS#8, PKCS#1 or SEC 1).
    ///
    /// # Errors
    /// With what is missing or wrong.
    pub fn from_der(certificates: Vec<Vec<u8>>, key: &[u8]) -> Result<Self, IdentityError> {
        let key = PrivateKeyDer::try_from(key).map_err(|_| IdentityError::KeyUnknown)?.clone_key();
        Self::new(certificates, key)
    }

    fn new(chain: Vec<Vec<u8>>, key: PrivateKeyDer<'static>) -> Result<Self, IdentityError> {
        let own = chain.first().ok_or(IdentityError::NoCertificate)?;
        let certificate = x509::Certificate::decode(own).map_err(IdentityError::Malformed)?;
        let names = dns_names(&certificate);
        let end_point = Arc::new(end_point(own, &certificate));
        let not_after = certificate.not_after;
        let ders = chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
        let key = CertifiedKey::from_der(ders, key, &provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => IdentityError::KeyOfAnother,
            rustls::Error::InvalidCertificate(_) => IdentityError::CertificateUnusable,
            _ => IdentityError::KeyUnknown,
        })?;
        Ok(Self { key: Arc::new(key), chain: Arc::new(chain), end_point, names, not_after })
    }

    /// The same, for these server names instead of those that its certificate has. `*.example` means one label more.
    #[must_use]
    pub fn named(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.names = names.into_iter().map(|name| name.to_ascii_lowercase()).collect();
        self
    }

    /// The server names that it is for.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The certificates in DER, its own first.
    pub fn certificates(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// When its certificate ends.
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// Its bindings of type `tls-server-end-point`.
    pub fn end_point(&self) -> &ChannelBindings {
        &self.end_point
    }

    /// How well it fits a name, in whatever case: exactly, by a wildcard, or not.
    fn fits(&self, name: &str) -> Option<Fit> {
        if self.names.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            return Some(Fit::Exact);
        }
        let above = name.split_once('.').map(|(_, above)| above)?;
        let is_wildcard = |own: &String| own.strip_prefix("*.").is_some_and(|own| own.eq_ignore_ascii_case(above));
        self.names.iter().any(is_wildcard).then_some(Fit::Wildcard)
    }

    fn can_sign(&self, schemes: &[SignatureScheme]) -> bool {
        self.key.key.choose_scheme(schemes).is_some()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Exact,
    Wildcard,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("names", &self.names).finish_non_exhaustive()
    }
}

/// The host names that a certificate is for.
fn dns_names(certificate: &x509::Certificate<'_>) -> Vec<String> {
    let names = certificate.subject_alt_names().into_iter().flatten();
    names
        .filter_map(|name| if let GeneralName::Dns(name) = name { Some(name.to_ascii_lowercase()) } else { None })
        .collect()
}

/// The certificates in a text of PEM, in DER and as they stand.
///
/// # Errors
/// When it is no PEM, or holds none.
pub fn certificates_in_pem(text: &[u8]) -> Result<Vec<Vec<u8>>, IdentityError> {
    let certificates = CertificateDer::pem_slice_iter(text).map(|der| der.map(|der| der.to_vec()));
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(|_| IdentityError::Pem)?;
    if certificates.is_empty() { Err(IdentityError::NoCertificate) } else { Ok(certificates) }
}

/// The revocation lists in a text of PEM, in DER and as they stand.
///
/// # Errors
/// When it is no PEM, or holds none.
pub fn revocation_lists_in_pem(text: &[u8]) -> Result<Vec<Vec<u8>>, IdentityError> {
    let lists = rustls::pki_types::CertificateRevocationListDer::pem_slice_iter(text);
    let lists: Vec<_> =
        lists.map(|der| der.map(|der| der.to_vec())).collect::<Result<_, _>>().map_err(|_| IdentityError::Pem)?;
    if lists.is_empty() { Err(IdentityError::NoRevocationList) } else { Ok(lists) }
}

fn key_in_pem(text: &[u8]) -> Result<PrivateKeyDer<'static>, IdentityError> {
    // Neither is a section that the parser knows.
    let is_sealed = [&b"BEGIN ENCRYPTED PRIVATE KEY"[..], b"Proc-Type: 4,ENCRYPTED"]
        .iter()
        .any(|mark| text.windows(mark.len()).any(|at| at == *mark));
    match PrivateKeyDer::from_pem_slice(text) {
        Ok(key) if !is_sealed => Ok(key),
        _ if is_sealed => Err(IdentityError::KeySealed),
        Err(pem::Error::NoItemsFound) | Ok(_) => Err(IdentityError::NoKey),
        Err(_) => Err(IdentityError::Pem),
    }
}

/// The bindings of type `tls-server-end-point` of a certificate in DER; `None` for one that cannot be read.
pub fn end_point_bindings(certificate: &[u8]) -> Option<ChannelBindings> {
    Some(end_point(certificate, &x509::Certificate::decode(certificate).ok()?))
}

/// `tls-server-end-point`: the certificate's hash by its signature's hash function, SHA-256 for MD5 and SHA-1; of a
/// signature without one (Ed25519) RFC 5929 §4.1 says nothing, and SHA-256 is what Windows and its clients take.
pub(super) fn end_point(der: &[u8], certificate: &x509::Certificate<'_>) -> ChannelBindings {
    let algorithm = match certificate.signature_hash() {
        None | Some(SignatureHash::Md5 | SignatureHash::Sha1 | SignatureHash::Sha256) => &digest::SHA256,
        Some(SignatureHash::Sha224) => &digest::SHA224,
        Some(SignatureHash::Sha384) => &digest::SHA384,
        Some(SignatureHash::Sha512) => &digest::SHA512,
    };
    ChannelBindings::tls_server_end_point(digest::digest(algorithm, der).as_ref())
}

/// A server's identities. The first is for who names no server, or one that none is for.
#[derive(Debug, Clone)]
pub struct Identities {
    pub(super) list: Vec<Identity>,
    /// Whether a client that names another server is refused. Defaults to `false`.
    pub strict_names: bool,
}

impl Identities {
    /// One identity.
    pub fn new(first: Identity) -> Self {
        Self { list: vec![first], strict_names: false }
    }

    /// With one more, to be chosen by the server's name and by what the client can verify.
    #[must_use]
    pub fn and(mut self, identity: Identity) -> Self {
        self.list.push(identity);
        self
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Identity> {
        self.list.iter()
    }

    /// The identity for a client that names this server and can verify these signatures.
    pub(super) fn choose(&self, name: Option<&str>, schemes: &[SignatureScheme]) -> Result<usize, Cause> {
        let fit = |identity: &Identity| name.and_then(|name| identity.fits(name));
        let usable = self.list.iter().enumerate().filter(|(_, identity)| identity.can_sign(schemes));
        let best = usable.clone().filter_map(|(at, identity)| Some((fit(identity)?, at))).min();
        if let Some((_, at)) = best {
            return Ok(at);
        }
        if self.strict_names && name.is_some() && !self.list.iter().any(|identity| fit(identity).is_some()) {
            return Err(Cause::UnknownName);
        }
        usable.map(|(at, _)| at).next().ok_or(Cause::NoCertificate)
    }
}

/// The TLS library's door to the identities.
#[derive(Debug)]
pub(super) struct Resolver(pub(super) Arc<Identities>);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let at = self.0.choose(hello.server_name(), hello.signature_schemes()).ok()?;
        engine::choose(at);
        self.0.list.get(at).map(|identity| Arc::clone(&identity.key))
    }
}

/// The primitives, made once.
pub(super) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: std::sync::OnceLock<Arc<CryptoProvider>> = std::sync::OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider())))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Made {
        der: Vec<u8>,
        pem: String,
        key: rcgen::KeyPair,
    }

    fn made() -> Made {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Made { der: made.cert.der().to_vec(), pem: made.cert.pem(), key: made.signing_key }
    }

    /// The length of a header's content, and of the header.
    fn lengths(der: &[u8]) -> (usize, usize) {
        match *der {
            [_, 0x81, len, ..] => (len.into(), 3),
            [_, 0x82, high, low, ..] => (u16::from_be_bytes([high, low]).into(), 4),
            [_, len, ..] => (len.into(), 2),
            _ => panic!("{der:?}"),
        }
    }

    fn sequence(content: &[u8]) -> Vec<u8> {
        match u16::try_from(content.len()).unwrap().to_be_bytes() {
            [0, len] => [&[0x30, 0x81, len], content].concat(),
            [high, low] => [&[0x30, 0x82, high, low], content].concat(),
        }
    }

    /// The certificate without its version and its extensions. Its signature is looked at by nobody here.
    fn of_version_1(der: &[u8]) -> Vec<u8> {
        let whole = &der[lengths(der).1..];
        let (len, header) = lengths(whole);
        let (signed, rest) = whole.split_at(header + len);
        let (mut fields, mut kept) = (&signed[header..], Vec::new());
        while !fields.is_empty() {
            let (len, header) = lengths(fields);
            let (field, next) = fields.split_at(header + len);
            if ![0xa0, 0xa3].contains(&field[0]) {
                kept.extend(field);
            }
            fields = next;
        }
        sequence(&[&sequence(&kept)[..], rest].concat())
    }

    fn error(of: Result<Identity, IdentityError>) -> IdentityError {
        of.map(drop).unwrap_err()
    }

    #[test]
    fn certificates_that_tls_cannot_use() {
        let Made { der, pem, key } = made();
        let key_der = key.serialize_der();
        assert!(Identity::from_der(vec![der.clone()], &key_der).is_ok());
        let old = error(Identity::from_der(vec![of_version_1(&der)], &key_der));
        assert_eq!(old, IdentityError::CertificateUnusable);
        assert!(old.to_string().contains("version 1") && !old.to_string().contains("private key"), "{old}");
        let other = made().key;
        assert_eq!(error(Identity::from_der(vec![der], &other.serialize_der())), IdentityError::KeyOfAnother);
        assert_eq!(error(Identity::from_pem(b"", key.serialize_pem().as_bytes())), IdentityError::NoCertificate);
        assert_eq!(revocation_lists_in_pem(pem.as_bytes()), Err(IdentityError::NoRevocationList));
    }

    #[test]
    fn keys_that_cannot_be_read() {
        let Made { pem, key, .. } = made();
        let block = |kind: &str, body: &str| format!("-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n");
        let sealed = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\nMAMC";
        for (text, why) in [
            (block("RSA PRIVATE KEY", sealed), IdentityError::KeySealed),
            (block("EC PRIVATE KEY", sealed), IdentityError::KeySealed),
            (block("ENCRYPTED PRIVATE KEY", "MAMCAQA="), IdentityError::KeySealed),
            (block("RSA PRIVATE KEY", "M!"), IdentityError::Pem),
            (block("PRIVATE KEY", "MAMCAQA="), IdentityError::KeyUnknown),
            (pem.clone(), IdentityError::NoKey),
        ] {
            assert_eq!(error(Identity::from_pem(pem.as_bytes(), text.as_bytes())), why, "{text}");
        }
        assert!(Identity::from_pem(pem.as_bytes(), key.serialize_pem().as_bytes()).is_ok());
    }

    #[test]
    fn pkcs12_that_is_none_or_has_no_key() {
        let Made { der, .. } = made();
        let password = Secret::new("secret".to_owned());
        let mut store = p12_keystore::KeyStore::new();
        let certificate = p12_keystore::Certificate::from_der(&der).unwrap();
        store.add_entry("alone", p12_keystore::KeyStoreEntry::Certificate(certificate));
        let file = store.writer(password.expose()).write().unwrap();
        let keyless = error(Identity::from_pkcs12(&file, &password));
        assert_eq!(keyless, IdentityError::NoKeyInside);
        assert!(!keyless.to_string().contains("BEGIN"), "{keyless}");
        for (bytes, password) in [(&der, &password), (&file, &Secret::new("another".to_owned()))] {
            let none = error(Identity::from_pkcs12(bytes, password));
            assert_eq!(none, IdentityError::Pkcs12);
            assert!(none.to_string().contains("neither PEM nor PKCS#12"), "{none}");
        }
    }
}
