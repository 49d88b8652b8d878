use crate::failure::causes;

causes! {
    /// Why an authority says no.
    ///
    /// The peer learns [`row().status`](crate::CauseRow::status) only, which is the same for everything that depends
    /// on the account: who guesses names or states learns nothing.
    pub enum Refusal in "account" {
        /// The proof does not fit the account's secret.
        WrongProof = "wrong-proof", SEC_E_LOGON_DENIED, WRONG_PASSWORD,
            "the password is wrong, or the client hashed another user or domain name than it sent";
        /// No account has this name.
        UnknownAccount = "unknown-account", SEC_E_LOGON_DENIED, NO_SUCH_USER,
            "no account has this name; see `portcullis account list`";
        /// The domain is none of ours.
        UnknownDomain = "unknown-domain", SEC_E_NO_AUTHENTICATING_AUTHORITY, NO_SUCH_DOMAIN,
            "the client names a domain that is not served here; log on as `user`, `.\\user` or with this domain's name, or set `domain.foreign = \"local\"`";
        /// The account has no password, or an empty one: nobody may log on with it.
        NoPassword = "no-password", SEC_E_LOGON_DENIED, ACCOUNT_RESTRICTION,
            "the account has no password or an empty one; set one with `portcullis account passwd`";
        /// The account is disabled.
        Disabled = "disabled", SEC_E_LOGON_DENIED, ACCOUNT_DISABLED,
            "the account is disabled; `portcullis account enable` lets it in again";
        /// Too many wrong proofs.
        LockedOut = "locked", SEC_E_LOGON_DENIED, ACCOUNT_LOCKED_OUT,
            "too many wrong passwords for this account; wait, find their source in the audit log, or `portcullis account unlock`";
        /// The account has ended.
        AccountExpired = "account-expired", SEC_E_LOGON_DENIED, ACCOUNT_EXPIRED,
            "the account's last day has passed; `portcullis account set NAME --expires` prolongs it";
        /// The password is too old.
        PasswordExpired = "password-expired", SEC_E_LOGON_DENIED, PASSWORD_EXPIRED,
            "the password is older than the policy allows; set a new one with `portcullis account passwd`";
        /// The password must be changed before the first logon.
        MustChange = "must-change", SEC_E_LOGON_DENIED, PASSWORD_MUST_CHANGE,
            "the password must be changed before the first logon; set a new one with `portcullis account passwd`";
        /// Not at this hour.
        LogonHours = "logon-hours", SEC_E_LOGON_DENIED, INVALID_LOGON_HOURS,
            "the account may not log on at this hour; see `portcullis account show`";
        /// Not from this computer.
        Workstation = "workstation-not-allowed", SEC_E_LOGON_DENIED, INVALID_WORKSTATION,
            "the account may log on from named workstations only, and this is none of them; see `portcullis account show`";
        /// No account is this certificate's.
        UnmappedCertificate = "unmapped-certificate", SEC_E_LOGON_DENIED, NO_SUCH_USER,
            "no account is this client certificate's: it names no SID of an account here, and nothing maps it; see `portcullis account map-cert`";
        /// Several accounts are this certificate's.
        AmbiguousCertificate = "ambiguous-certificate", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "this client certificate means more than one account, so it means none; remove mappings by `portcullis account unmap-cert`, or correct the certificate";
        /// Only a weak mapping fits this certificate.
        WeakCertificateMapping = "weak-certificate-mapping", SEC_E_LOGON_DENIED, NOT_SUPPORTED,
            "only a weak mapping (by subject, mail or user principal name, which others may come to have) fits this client certificate; map it strongly, or allow weak forms by policy";
        /// Too many wrong proofs from this address.
        Throttled = "throttled", SEC_E_LOGON_DENIED, LOGON_FAILURE,
            "too many failed logons from this address; it is refused unheard for a while so that it cannot lock accounts";
        /// The authority cannot be asked.
        Unreachable = "store-unreachable", SEC_E_NO_AUTHENTICATING_AUTHORITY, NO_LOGON_SERVERS,
            "the account store cannot be read: missing, locked, damaged, or its key does not fit; see the log";
        /// The authority is another process, and does not answer.
        AuthorityUnreachable = "authority-unreachable", SEC_E_NO_AUTHENTICATING_AUTHORITY, NO_LOGON_SERVERS,
            "the authority process does not answer: it is not running, stopped, overloaded, or does not let this server ask; see its log, and `portcullis authority --help`";
        /// This authority does not answer this kind of question.
        NotAnswered = "not-answered", SEC_E_NO_AUTHENTICATING_AUTHORITY, NOT_SUPPORTED,
            "the authority does not answer this kind of question; configure one that does";
    }
}

impl Refusal {
    /// Every refusal, in the order of [`TABLE`](Self::TABLE).
    pub const ALL: [Self; 18] = [
        Self::WrongProof,
        Self::UnknownAccount,
        Self::UnknownDomain,
        Self::NoPassword,
        Self::Disabled,
        Self::LockedOut,
        Self::AccountExpired,
        Self::PasswordExpired,
        Self::MustChange,
        Self::LogonHours,
        Self::Workstation,
        Self::UnmappedCertificate,
        Self::AmbiguousCertificate,
        Self::WeakCertificateMapping,
        Self::Throttled,
        Self::Unreachable,
        Self::AuthorityUnreachable,
        Self::NotAnswered,
    ];

    /// The refusal with this stable name; `None` where none has it.
    ///
    /// ```
    /// use portcullis::Refusal;
    /// assert_eq!(Refusal::named("account/locked"), Some(Refusal::LockedOut));
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.row().name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_the_table() {
        assert!(Refusal::ALL.iter().map(Refusal::row).eq(Refusal::TABLE.iter().copied()));
    }
}
