use crate::NAMES;
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The servers' certificate, on P-256, and the authority that issued it.
pub(crate) struct Identity {
    pub(crate) authority: CertificateDer<'static>,
    pub(crate) certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Identity {
    pub(crate) fn new() -> Self {
        let pair = || KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, pair()).expect("an authority");
        let key = pair();
        let params = CertificateParams::new(vec![NAMES.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &authority).expect("a certificate").der().clone();
        Self { authority: authority.der().clone(), certificate, key: key.serialize_der() }
    }

    /// The key, as PKCS#8.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The key as rustls takes it.
    pub(crate) fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key.clone()).expect("PKCS#8")
    }
}
