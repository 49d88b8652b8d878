use crate::{AccountEntry, AdminError, Directory, Store};
use portcullis_wire::x509::{AltSecurityIdentity, Certificate, Form};
use sha1::{Digest as _, Sha1};
use std::time::SystemTime;

/// A certificate that an administrator mapped to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateMapping {
    /// What it names.
    pub form: Form,
    /// What is compared ([`AltSecurityIdentity::key`]): unique in the domain among those of its form.
    pub key: Vec<u8>,
    /// As altSecurityIdentities would have it, for people.
    pub text: String,
    /// When it was made.
    pub created: SystemTime,
}

impl CertificateMapping {
    /// The mapping of an identity.
    pub fn of(identity: &AltSecurityIdentity, created: SystemTime) -> Self {
        Self { form: identity.form(), key: identity.key(), text: identity.to_string(), created }
    }
}

/// All identities of a certificate, the strong ones first.
///
/// # Errors
/// Where an extension that would give one is malformed.
pub fn identities(certificate: &Certificate<'_>) -> Result<Vec<AltSecurityIdentity>, portcullis_wire::Error> {
    AltSecurityIdentity::of(certificate, Sha1::digest(certificate.public_key.bits).into())
}

/// Administration: which certificates are whose.
impl<S: Store> Directory<S> {
    /// Maps a certificate to an account. False when it was mapped to it already.
    ///
    /// # Errors
    /// [`AdminError::NoSuchAccount`]; [`AdminError::WeakMapping`] for a weak form where the policy does not allow them;
    /// [`StoreError::MappingTaken`](crate::StoreError::MappingTaken) when it is another account's.
    pub fn map_certificate(
        &self,
        name: &str,
        identity: &AltSecurityIdentity,
    ) -> Result<(AccountEntry, bool), AdminError> {
        if identity.form() == Form::Upn {
            return Err(AdminError::UpnIsNoMapping);
        }
        if !identity.form().is_strong() && !self.store().policy()?.danger_weak_certificate_mappings {
            return Err(AdminError::WeakMapping(identity.to_string()));
        }
        let account = self.account(name)?;
        let mapping = CertificateMapping::of(identity, self.now());
        let new = self.store().add_mapping(account.rid, &mapping)?;
        Ok((account, new))
    }

    /// Takes mappings from an account; gives those that it had.
    ///
    /// # Errors
    /// [`AdminError::NoSuchAccount`], or when the store cannot be written.
    pub fn unmap_certificate(
        &self,
        name: &str,
        identities: &[AltSecurityIdentity],
    ) -> Result<(AccountEntry, Vec<CertificateMapping>), AdminError> {
        let account = self.account(name)?;
        let is_meant = |mapping: &CertificateMapping| {
            identities.iter().any(|identity| identity.form() == mapping.form && identity.key() == mapping.key)
        };
        let meant: Vec<_> = self.store().mappings(account.rid)?.into_iter().filter(is_meant).collect();
        for mapping in &meant {
            self.store().remove_mapping(account.rid, mapping)?;
        }
        Ok((account, meant))
    }
}
