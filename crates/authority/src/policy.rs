use std::time::Duration;

/// The rules of a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Rules for passwords.
    pub password: PasswordPolicy,
    /// Rules for wrong passwords.
    pub lockout: LockoutPolicy,
    /// Whether certificates also mean accounts by what others may come to have: subject, mail address, user principal
    /// name (KB5014754). Defaults to false.
    pub danger_weak_certificate_mappings: bool,
}

/// Rules for passwords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// The fewest characters that a new password may have; an empty one is refused whatever stands here. Defaults to 1,
    /// as on a Windows computer that is in no domain: who administers this store chooses the rule.
    pub min_length: u32,
    /// How old a password may become; `None` for any age, the default.
    pub max_age: Option<Duration>,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { min_length: 1, max_age: None }
    }
}

impl PasswordPolicy {
    /// The most characters that a password may have: NTLM clients know no more (MS-SAMR: 256 UTF-16 units).
    pub const MAX_LENGTH: usize = 256;

    /// Checks a new password of the account `name`.
    ///
    /// # Errors
    /// With the rule that it breaks.
    pub fn check(&self, name: &str, password: &str) -> Result<(), PasswordRefused> {
        let length = password.encode_utf16().count();
        if password.is_empty() {
            return Err(PasswordRefused::Empty);
        }
        if length < usize::try_from(self.min_length).unwrap_or(usize::MAX) {
            return Err(PasswordRefused::TooShort(self.min_length));
        }
        if length > Self::MAX_LENGTH {
            return Err(PasswordRefused::TooLong);
        }
        if password.contains(['\0', '\r', '\n']) {
            return Err(PasswordRefused::Control);
        }
        if portcullis_wire::utf16::same_name(name, password) {
            return Err(PasswordRefused::IsTheName);
        }
        Ok(())
    }
}

/// The rule that a new password breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefused {
    /// It is empty.
    #[error("the password is empty; an account with an empty password can never log on")]
    Empty,
    /// It is too short.
    #[error("the password is shorter than the {0} characters that the policy asks for (`portcullis policy show`)")]
    TooShort(u32),
    /// It is too long.
    #[error("the password is longer than {max} characters, the most that clients can send", max = PasswordPolicy::MAX_LENGTH)]
    TooLong,
    /// It holds a line end or a NUL.
    #[error("the password holds a line end or a NUL character, which no client can send")]
    Control,
    /// It is the account's name.
    #[error("the password is the account's own name; choose another")]
    IsTheName,
}

/// Rules for wrong passwords.
///
/// Failures are counted for each account and client address: reaching [`threshold`](Self::threshold) locks the account
/// *for that address*, so that nobody can lock an account for its owner by guessing from elsewhere. Only the much higher
/// [`global_threshold`](Self::global_threshold) over all addresses locks it for everyone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockoutPolicy {
    /// Wrong proofs for one account from one address until it is locked for that address; 0 for never. Defaults to 10.
    pub threshold: u32,
    /// Wrong proofs are forgotten when none came for the account within this time of the first. Defaults to 10 minutes.
    pub window: Duration,
    /// How long a lock lasts; zero until an administrator unlocks the account. Defaults to 10 minutes.
    pub duration: Duration,
    /// Wrong proofs for one account over all addresses until it is locked for all; 0 for never. Defaults to 100.
    pub global_threshold: u32,
    /// Wrong proofs from one address over all accounts until the address is refused unheard; 0 for never. Defaults to
    /// 100.
    pub address_threshold: u32,
    /// Whether loopback addresses are never refused unheard: a reverse proxy or the administrator sits there. Defaults
    /// to true.
    pub loopback_exempt: bool,
}

impl Default for LockoutPolicy {
    fn default() -> Self {
        let ten_minutes = Duration::from_secs(600);
        Self {
            threshold: 10,
            window: ten_minutes,
            duration: ten_minutes,
            global_threshold: 100,
            address_threshold: 100,
            loopback_exempt: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_checked() {
        assert_eq!(PasswordPolicy::default().check("ann", "x"), Ok(()));
        let policy = PasswordPolicy { min_length: 8, max_age: None };
        assert_eq!(policy.check("ann", ""), Err(PasswordRefused::Empty));
        assert_eq!(policy.check("ann", "seven77"), Err(PasswordRefused::TooShort(8)));
        assert_eq!(policy.check("ann", "eight888"), Ok(()));
        assert_eq!(policy.check("ann", &"x".repeat(257)), Err(PasswordRefused::TooLong));
        assert_eq!(policy.check("ann", "two\nlines in it"), Err(PasswordRefused::Control));
        assert_eq!(policy.check("annabella", "ANNABELLA"), Err(PasswordRefused::IsTheName));
        let none = PasswordPolicy { min_length: 0, max_age: None };
        assert_eq!(none.check("ann", ""), Err(PasswordRefused::Empty));
    }
}
