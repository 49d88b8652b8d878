use crate::calendar;
use crate::der::{Der, tag, tlv};
use crate::{Error, Kind};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// KerberosTime (RFC 4120 §5.2.3): seconds since 1970-01-01 00:00:00 UTC, written `YYYYMMDDHHMMSSZ`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct KerberosTime(pub i64);

impl KerberosTime {
    /// The second that a point in time lies in.
    pub fn from_system(time: SystemTime) -> Self {
        let seconds = |distance: Duration| i64::try_from(distance.as_secs()).unwrap_or(i64::MAX);
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(seconds(after)),
            Err(before) => {
                let before = before.duration();
                Self((-seconds(before)).saturating_sub(i64::from(before.subsec_nanos() > 0)))
            }
        }
    }

    /// The point in time; `None` for one that [`SystemTime`] cannot hold.
    pub fn to_system(self) -> Option<SystemTime> {
        let distance = Duration::from_secs(self.0.unsigned_abs());
        if self.0 < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
    }

    /// The fifteen characters. A time whose year has not four digits becomes the nearest that has.
    pub fn to_text(self) -> [u8; 15] {
        calendar::to_generalized(self.0)
    }

    /// Decodes a GeneralizedTime that stands alone.
    ///
    /// # Errors
    /// With the offset: not DER, [`Kind::Unexpected`] for another form, a fraction, or a day that no calendar has.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        super::alone(bytes, "KerberosTime", |der| Self::read(der, "KerberosTime"))
    }

    pub(super) fn read(der: &mut Der<'_>, field: &'static str) -> Result<Self, Error> {
        let at = der.offset();
        let text = der.bytes(tag::GENERALIZED_TIME, field)?;
        calendar::generalized(text).map(Self).ok_or(Error::new(at, field, Kind::Unexpected))
    }

    /// Appends the time.
    pub fn encode(&self, out: &mut Vec<u8>) {
        tlv(tag::GENERALIZED_TIME, &self.to_text(), out);
    }
}
