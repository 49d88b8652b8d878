//! The two times of a certificate (RFC 5280 §4.1.2.5), in UTC and to the second.

use crate::calendar::{self, pair};
use crate::der::{Der, tag};
use crate::{Error, Kind};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Reads a UTCTime or a GeneralizedTime. Either may say any year that it can: which one a year must be written in
/// changes nothing of what it says.
pub(super) fn read(der: &mut Der<'_>, field: &'static str) -> Result<SystemTime, Error> {
    let at = der.offset();
    let bad = Error::new(at, field, Kind::Unexpected);
    let (tag, content) = der.any(field)?;
    let (year, rest) = match (tag, content.rest()) {
        (tag::UTC_TIME, [a, b, rest @ ..]) => {
            let short = pair(*a, *b).ok_or(bad)?;
            (if short < 50 { 2000 + short } else { 1900 + short }, rest)
        }
        (tag::GENERALIZED_TIME, [a, b, c, d, rest @ ..]) => {
            (pair(*a, *b).ok_or(bad)? * 100 + pair(*c, *d).ok_or(bad)?, rest)
        }
        _ => return Err(bad),
    };
    let seconds = calendar::seconds(year, rest).ok_or(bad)?;
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let time = if seconds < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    time.ok_or(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::der::tlv;

    fn of(tag: u8, text: &str) -> Result<i64, Kind> {
        let mut bytes = Vec::new();
        tlv(tag, text.as_bytes(), &mut bytes);
        let time = read(&mut Der::new(&bytes), "time").map_err(|error| error.kind)?;
        Ok(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap(),
            Err(before) => -i64::try_from(before.duration().as_secs()).unwrap(),
        })
    }

    /// Against `date -u -d … +%s`.
    #[test]
    fn known_days() {
        for (text, seconds) in [
            ("700101000000Z", 0),
            ("691231235959Z", -1),
            ("500101000000Z", -631_152_000),
            ("491231235959Z", 2_524_607_999),
            ("000229120000Z", 951_825_600),
            ("240229000000Z", 1_709_164_800),
            ("261125130319Z", 1_795_611_799),
        ] {
            assert_eq!(of(tag::UTC_TIME, text), Ok(seconds), "{text}");
        }
        for (text, seconds) in [
            ("20500101000000Z", 2_524_608_000),
            ("99991231235959Z", 253_402_300_799),
            ("16010101000000Z", -11_644_473_600),
        ] {
            assert_eq!(of(tag::GENERALIZED_TIME, text), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "7001010000Z",
            "700101000000",
            "700101000000+0100",
            "701301000000Z",
            "700001000000Z",
            "700230000000Z",
            "230229000000Z",
            "700101240000Z",
            "700101006000Z",
            "700101000060Z",
            "70010100000AZ",
            "19700101000000Z",
            "+70101000000Z",
            "700101000000z",
        ] {
            assert_eq!(of(tag::UTC_TIME, text), Err(Kind::Unexpected), "{text}");
        }
        assert_eq!(of(tag::GENERALIZED_TIME, "20500101000000.5Z"), Err(Kind::Unexpected));
        assert_eq!(of(tag::GENERALIZED_TIME, "21000229000000Z"), Err(Kind::Unexpected));
        assert_eq!(of(tag::OCTET_STRING, "700101000000Z"), Err(Kind::Unexpected));
    }
}
