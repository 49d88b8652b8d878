use super::{Guid, Header, Values};
use crate::{Error, Reader};

/// ALERT_MESSAGE (MS-NEGOEX 2.2.6.6): what went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alert<'a> {
    /// The scheme that it is about.
    pub scheme: Guid,
    /// An NTSTATUS.
    pub error: u32,
    /// Details.
    pub alerts: Values<'a>,
}

impl<'a> Alert<'a> {
    pub(super) fn read(header: &Header, fixed: &mut Reader<'_>, whole: &'a [u8]) -> Result<Self, Error> {
        let scheme = Guid(fixed.array("AuthScheme")?);
        let error = fixed.u32("ErrorCode")?;
        let alerts = Values::read(header, fixed, whole, "Alerts")?;
        Ok(Self { scheme, error, alerts })
    }

    /// Whether the sender has no key yet to verify with (ALERT_VERIFY_NO_KEY): the peer may try again.
    pub fn is_no_key(&self) -> bool {
        const PULSE: u32 = 1;
        const NO_KEY: [u8; 4] = [1, 0, 0, 0];
        let says = |value: &[u8]| value.get(4..8) == Some(&NO_KEY[..]);
        self.alerts.iter().any(|(kind, value)| kind == PULSE && says(value))
    }
}
