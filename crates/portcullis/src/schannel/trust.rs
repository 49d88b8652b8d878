//! Whose certificates are believed.

use super::identity::provider;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};
use std::fmt;
use std::sync::Arc;

/// Whose certificates are believed, and when not any more.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The certificates of the authorities, in DER.
    pub roots: Vec<Vec<u8>>,
    /// Their revocation lists, in DER.
    pub revocation_lists: Vec<Vec<u8>>,
    /// What to think of certificates that no list covers. Defaults to [`Revocation::Require`] where there are lists,
    /// and to [`Revocation::Off`] where there are none.
    pub revocation: Option<Revocation>,
    /// Whether only the peer's own certificate is looked up, and not those above it. Defaults to `false`.
    pub end_entity_only: bool,
    /// The authorities that may name accounts by SID, in DER: Active Directory calls them NTAuth. Defaults to all of
    /// [`roots`](Self::roots).
    pub sid_issuers: Option<Vec<Vec<u8>>>,
}

/// What to think of certificates of which nobody knows whether they were revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// Nothing is looked up.
    Off,
    /// Refused are those that a list names; no list, or an old one, is no reason.
    WhenKnown,
    /// Refused are also those that no list covers, and all of a list that is past its next update.
    Require,
}

/// Why a credential cannot be made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingsError {
    /// There is no authority to trust.
    NoRoots,
    /// An authority's certificate cannot be read; which one, counted from zero.
    BadRoot(usize),
    /// A revocation list cannot be read.
    BadRevocationList,
    /// An application protocol's name is empty or longer than 255 bytes.
    BadApplicationProtocol,
    /// The TLS library takes no such configuration.
    Unusable,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoots => f.write_str("no certification authority is named"),
            Self::BadRoot(at) => write!(f, "the certificate of authority {} cannot be read", at + 1),
            Self::BadRevocationList => {
                f.write_str("a revocation list cannot be read, or is of a kind that is not known")
            }
            Self::BadApplicationProtocol => f.write_str("the name of an application protocol is empty or too long"),
            Self::Unusable => f.write_str("the TLS library takes no such configuration"),
        }
    }
}

impl std::error::Error for SettingsError {}

/// The builder of a verifier that believes as a [`Trust`] says. The library's two builders have these methods in common
/// and no trait.
macro_rules! builder_of {
    ($trust:expr, $verifier:ident) => {{
        let trust: &Trust = $trust;
        let mut builder = $verifier::builder_with_provider(store(&trust.roots)?, provider());
        if trust.revocation() != Revocation::Off {
            builder = builder.with_crls(trust.lists());
            builder = match trust.revocation() {
                Revocation::Require => builder.enforce_revocation_expiration(),
                Revocation::WhenKnown | Revocation::Off => builder.allow_unknown_revocation_status(),
            };
        }
        if trust.end_entity_only {
            builder = builder.only_check_end_entity_revocation();
        }
        builder
    }};
}

impl Trust {
    pub(super) fn revocation(&self) -> Revocation {
        let default = if self.revocation_lists.is_empty() { Revocation::Off } else { Revocation::Require };
        self.revocation.unwrap_or(default)
    }

    pub(super) fn client_verifier(&self, mandatory: bool) -> Result<Arc<dyn ClientCertVerifier>, SettingsError> {
        let mut builder = builder_of!(self, WebPkiClientVerifier);
        if !mandatory {
            builder = builder.allow_unauthenticated();
        }
        let verifier = builder.build().map_err(unusable)?;
        Ok(if self.is_blind() { Arc::new(Blind(verifier)) } else { verifier })
    }

    /// Says whether a chain comes from an authority that may name accounts by SID.
    pub(super) fn sid_verifier(&self) -> Result<Option<Arc<dyn ClientCertVerifier>>, SettingsError> {
        let Some(issuers) = &self.sid_issuers else { return Ok(None) };
        if issuers.is_empty() {
            return Ok(Some(Arc::new(Nobody)));
        }
        // By the same lists: it may be another way up than the one that was verified.
        let trust = Self { roots: issuers.clone(), sid_issuers: None, ..self.clone() };
        trust.client_verifier(true).map(Some)
    }

    pub(super) fn server_verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, SettingsError> {
        let verifier = builder_of!(self, WebPkiServerVerifier).build().map_err(unusable)?;
        Ok(if self.is_blind() { Arc::new(Blind(verifier)) } else { verifier })
    }

    /// With no list at all the TLS library checks nothing: that must not pass for having checked.
    fn is_blind(&self) -> bool {
        self.revocation() == Revocation::Require && self.revocation_lists.is_empty()
    }

    fn lists(&self) -> impl Iterator<Item = CertificateRevocationListDer<'static>> {
        self.revocation_lists.iter().map(|der| CertificateRevocationListDer::from(der.clone()))
    }
}

fn store(roots: &[Vec<u8>]) -> Result<Arc<RootCertStore>, SettingsError> {
    let mut store = RootCertStore::empty();
    for (at, root) in roots.iter().enumerate() {
        store.add(CertificateDer::from(root.clone())).map_err(|_| SettingsError::BadRoot(at))?;
    }
    if store.is_empty() { Err(SettingsError::NoRoots) } else { Ok(Arc::new(store)) }
}

fn unusable(error: VerifierBuilderError) -> SettingsError {
    match error {
        VerifierBuilderError::NoRootAnchors => SettingsError::NoRoots,
        VerifierBuilderError::InvalidCrl(_) => SettingsError::BadRevocationList,
        _ => SettingsError::Unusable,
    }
}

/// Knows of no certificate whether it was revoked.
#[derive(Debug)]
struct Blind<V: ?Sized>(Arc<V>);

/// Trusts nobody.
#[derive(Debug)]
struct Nobody;

/// Leaves to the host whom to trust; that the peer has its certificate's key is checked all the same.
#[derive(Debug)]
pub(super) struct HostVerifies {
    pub(super) mandatory: bool,
}

macro_rules! signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            let algorithms = provider().signature_verification_algorithms;
            rustls::crypto::verify_tls12_signature(message, certificate, signed, &algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            let algorithms = provider().signature_verification_algorithms;
            rustls::crypto::verify_tls13_signature(message, certificate, signed, &algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            provider().signature_verification_algorithms.supported_schemes()
        }
    };
}

impl ClientCertVerifier for Blind<dyn ClientCertVerifier> {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.0.verify_client_cert(end_entity, intermediates, now)?;
        Err(Error::InvalidCertificate(rustls::CertificateError::UnknownRevocationStatus))
    }

    signatures!();
}

impl ServerCertVerifier for Blind<WebPkiServerVerifier> {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        Err(Error::InvalidCertificate(rustls::CertificateError::UnknownRevocationStatus))
    }

    signatures!();
}

impl ClientCertVerifier for Nobody {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Err(Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer))
    }

    signatures!();
}

impl ClientCertVerifier for HostVerifies {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        self.mandatory
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    signatures!();
}

impl ServerCertVerifier for HostVerifies {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    signatures!();
}
