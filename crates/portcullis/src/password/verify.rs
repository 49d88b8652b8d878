use subtle::ConstantTimeEq;

/// The password fits the account's secret. Only a comparison makes this value.
#[derive(Debug)]
pub struct Verified(());

impl Verified {
    /// For an authority that does not hold the secret itself: someone it trusts made the comparison.
    pub fn vouched_for() -> Self {
        Self(())
    }
}

/// Compares what was derived from the given password with what is stored, in constant time; `None` when they differ,
/// or when nothing is stored.
pub fn verify(stored: &[u8], derived: &[u8]) -> Option<Verified> {
    let same = stored.ct_eq(derived);
    (bool::from(same) && !stored.is_empty()).then_some(Verified(()))
}
