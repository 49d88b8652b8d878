use portcullis::schannel::{AcceptorSettings, Identities, Identity, Trust};
use portcullis::{Credential, schannel};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use std::time::{Duration, SystemTime};

/// A certification authority.
pub struct Ca {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// The authorities between the root and what this one issues, itself first; none for a root.
    above: Vec<Vec<u8>>,
}

/// A certificate with its key, in DER.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// The certificate.
    pub certificate: Vec<u8>,
    /// The key, as PKCS#8.
    pub key: Vec<u8>,
    /// The authorities between it and the root, the nearest first.
    pub above: Vec<Vec<u8>>,
}

impl Ca {
    /// An authority with this name.
    pub fn new(name: &str) -> Self {
        Self::keyed(name, KeyPair::generate().unwrap())
    }

    /// An authority with this name and this key, which its signatures are of.
    pub fn keyed(name: &str, key: KeyPair) -> Self {
        Self { issuer: CertifiedIssuer::self_signed(authority(name), key).unwrap(), above: Vec::new() }
    }

    /// An authority that this one vouches for.
    pub fn below(&self, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = authority(name);
        params.use_authority_key_identifier_extension = true;
        let issuer = CertifiedIssuer::signed_by(params, key, &self.issuer).unwrap();
        let above = [vec![issuer.der().to_vec()], self.above.clone()].concat();
        Self { issuer, above }
    }

    /// Its certificate in DER.
    pub fn certificate(&self) -> Vec<u8> {
        self.issuer.der().to_vec()
    }

    /// A server's certificate for these names.
    pub fn server(&self, names: &[&str]) -> Leaf {
        self.issue(names[0], names, |params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth])
    }

    /// A client's certificate, with the serial number `serial`.
    pub fn client(&self, name: &str, serial: u64) -> Leaf {
        self.issue(name, &[], |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            params.serial_number = Some(SerialNumber::from(serial));
        })
    }

    /// A certificate to taste.
    pub fn issue(&self, name: &str, dns: &[&str], edit: impl FnOnce(&mut CertificateParams)) -> Leaf {
        self.issue_with(KeyPair::generate().unwrap(), name, dns, edit)
    }

    /// The same, for this key.
    pub fn issue_with(
        &self,
        key: KeyPair,
        name: &str,
        dns: &[&str],
        edit: impl FnOnce(&mut CertificateParams),
    ) -> Leaf {
        let dns: Vec<_> = dns.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(dns).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.use_authority_key_identifier_extension = true;
        edit(&mut params);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Leaf { certificate: certificate.der().to_vec(), key: key.serialize_der(), above: self.above.clone() }
    }

    /// A revocation list that names these serial numbers, good from `from` for so long.
    pub fn revokes(&self, serials: &[u64], from: SystemTime, length: Duration) -> Vec<u8> {
        let revoked = serials.iter().map(|&serial| RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: from.into(),
            reason_code: None,
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: from.into(),
            next_update: (from + length).into(),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let issuer: &Issuer<'_, KeyPair> = &self.issuer;
        params.signed_by(issuer).unwrap().der().to_vec()
    }

    /// What believes this authority.
    pub fn trust(&self) -> Trust {
        Trust { roots: vec![self.certificate()], ..Trust::default() }
    }
}

impl Leaf {
    /// As the library takes it.
    pub fn identity(&self) -> Identity {
        Identity::from_der(self.chain(), &self.key).unwrap()
    }

    /// Its certificate, and those above it.
    pub fn chain(&self) -> Vec<Vec<u8>> {
        [vec![self.certificate.clone()], self.above.clone()].concat()
    }

    /// A server that is this and behaves so.
    pub fn acceptor(&self, settings: AcceptorSettings) -> Credential {
        Credential::acceptor(schannel::Acceptor::new(Identities::new(self.identity()), settings).unwrap())
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}
