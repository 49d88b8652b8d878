//! Whose a certificate is, and whether that account may log on with it.

use crate::directory::{No, state_allows};
use crate::{
    AccountEntry, Attempt, CertificateMapping, Directory, Domain, Found, Gate, Lookup, Policy, Store, StoreError,
    identities,
};
use portcullis::{Account, FindAccount, Refusal, Sid};
use portcullis_wire::x509::{AltSecurityIdentity, Certificate};
use std::sync::Arc;

impl<S: Store> Directory<S> {
    /// Finds the account and judges it.
    ///
    /// No failure is counted: a certificate cannot be guessed, and whoever shows one has proved to hold its key.
    pub(crate) fn judge_certificate(&self, question: &FindAccount) -> Result<Arc<Account>, No> {
        let now = self.now();
        let (domain, policy) = (self.store().domain()?, self.store().policy()?);
        let account = self.whose(question, &domain, &policy)?;
        // An account that is locked is locked whatever is shown, as Windows' KDC has it for smart cards
        // (KDC_ERR_CLIENT_REVOKED). The throttle of addresses stays out: it slows guessing over many accounts, and here
        // nothing is guessed.
        let attempt = Attempt { throttled: false, ..Attempt::new(&account.name, question.peer, &policy.lockout) };
        if !matches!(self.store().gate(&attempt, now)?, Gate::Open { .. }) {
            return Err(No(Refusal::LockedOut));
        }
        // Nothing that concerns the password counts, neither its age nor that it must be changed, nor that there is
        // none: it was not used. Windows' KDC likewise asks for them only where the password was the proof, and for the
        // rest of the account's state with PKINIT too. TLS says no workstation, so that who may log on from named ones
        // alone may not by certificate.
        state_allows(&account, &question.claim, now).map_err(No)?;
        let answer = self.describe(&account, &domain, &policy, now)?;
        // That the certificate fits says nothing of wrong passwords: their count stays.
        self.note_success(&account, &attempt, false, now);
        Ok(Arc::new(answer))
    }

    /// The one account that a certificate means (KB5014754): by its SID, by a strong mapping, and only where neither
    /// names anybody and the policy allows it by a weak one. Whatever means two accounts means none.
    fn whose(&self, question: &FindAccount, domain: &Domain, policy: &Policy) -> Result<AccountEntry, No> {
        let certificate = Certificate::decode(question.certificate()).map_err(unreadable)?;
        let (strong, weak): (Vec<_>, Vec<_>) =
            identities(&certificate).map_err(unreadable)?.into_iter().partition(|identity| identity.form().is_strong());
        let sid = if question.may_name_sid() { named_sid(&certificate)? } else { None };

        let mut meant = Meant::default();
        if let Some(found) = self.by_sid(sid, domain)? {
            meant.add(found)?;
        }
        self.by_mappings(&strong, &mut meant)?;
        if let Some(account) = meant.0 {
            return Ok(account);
        }
        self.by_mappings(&weak, &mut meant)?;
        for identity in &weak {
            if let AltSecurityIdentity::Upn(upn) = identity
                // The whole name, as Windows compares names: neither its first part, nor with a `$` more or less
                // (CVE-2022-26923).
                && let Some(found) = self.store().find(Lookup::Upn(upn))?
            {
                meant.add(found.account)?;
            }
        }
        match meant.0 {
            None => Err(No(Refusal::UnmappedCertificate)),
            // Its issuer says whose it is, and that is nobody here: a weaker sign does not make it somebody else's
            // (event 41 of KB5014754).
            Some(_) if sid.is_some() => Err(No(Refusal::UnmappedCertificate)),
            Some(_) if !policy.danger_weak_certificate_mappings => Err(No(Refusal::WeakCertificateMapping)),
            Some(account) => Ok(account),
        }
    }

    /// The account of a SID; `None` where it is of another domain, a group's, or nobody's.
    fn by_sid(&self, sid: Option<Sid>, domain: &Domain) -> Result<Option<AccountEntry>, StoreError> {
        match sid.as_ref().and_then(Sid::split) {
            Some((of, rid)) if of == domain.sid => {
                Ok(self.store().find(Lookup::Rid(rid))?.map(|Found { account, .. }| account))
            }
            _ => Ok(None),
        }
    }

    fn by_mappings(&self, identities: &[AltSecurityIdentity], meant: &mut Meant) -> Result<(), No> {
        for identity in identities {
            let mapping = CertificateMapping::of(identity, std::time::UNIX_EPOCH);
            if let Some(rid) = self.store().mapped(&mapping)? {
                let found = self.store().find(Lookup::Rid(rid))?;
                found.map_or(Ok(()), |found| meant.add(found.account))?;
            }
        }
        Ok(())
    }
}

/// The account that everything so far means.
#[derive(Default)]
struct Meant(Option<AccountEntry>);

impl Meant {
    fn add(&mut self, account: AccountEntry) -> Result<(), No> {
        match &self.0 {
            Some(before) if before.rid != account.rid => Err(No(Refusal::AmbiguousCertificate)),
            _ => {
                self.0 = Some(account);
                Ok(())
            }
        }
    }
}

/// The SID that the certificate names in its extension, its URI, or both.
fn named_sid(certificate: &Certificate<'_>) -> Result<Option<Sid>, No> {
    let extension = certificate.sid_extension().map_err(unreadable)?;
    let uri = certificate.sid_uri().map_err(unreadable)?;
    match (extension, uri) {
        (Some(extension), Some(uri)) if extension != uri => Err(No(Refusal::AmbiguousCertificate)),
        (extension, uri) => Ok(extension.or(uri)),
    }
}

/// A certificate that cannot be read whole is nobody's.
fn unreadable(error: portcullis_wire::Error) -> No {
    tracing::warn!(%error, "a client certificate cannot be read");
    No(Refusal::UnmappedCertificate)
}
