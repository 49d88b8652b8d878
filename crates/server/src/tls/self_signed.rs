use portcullis::Secret;
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use std::time::{Duration, SystemTime};

/// A certificate that vouches for itself, and its key, as PEM: for a first start, until a real one is there. It is for
/// these names and addresses, and lasts a year.
///
/// # Errors
/// A name that no certificate can hold, or no randomness.
pub fn self_signed(names: &[String], now: SystemTime) -> Result<(String, Secret<String>), String> {
    let mut params = CertificateParams::new(names).map_err(|error| error.to_string())?;
    params.distinguished_name.push(DnType::CommonName, names.first().map_or("portcullis", String::as_str));
    // A client's clock may be a little behind.
    params.not_before = (now - Duration::from_secs(3600)).into();
    params.not_after = (now + Duration::from_secs(365 * 24 * 3600)).into();
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().map_err(|error| error.to_string())?;
    let certificate = params.self_signed(&key).map_err(|error| error.to_string())?;
    Ok((certificate.pem(), Secret::new(key.serialize_pem())))
}
