use super::Case;

/// Negotiate.
pub(super) fn cases() -> Vec<Case> {
    Vec::new()
}
