//! Lengths of time and dates as people write them.

use std::time::{Duration, SystemTime};

const UNITS: [(char, u64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// Reads `90s`, `10m`, `8h`, `90d` or `2w`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no length of time; write a number and a unit, like 90s, 10m, 8h, 90d or 2w");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
    let number = text.strip_suffix(unit).filter(|n| n.bytes().all(|b| b.is_ascii_digit())).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    // A thousand years: more would not fit the store's clock everywhere.
    let length = number.checked_mul(*seconds).filter(|length| *length <= 86_400 * 365_250).ok_or_else(wrong)?;
    Ok(Duration::from_secs(length))
}

/// A length of time that may also be `never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OrNever(pub(crate) Option<Duration>);

/// Reads a length of time, or `never`.
pub(crate) fn parse_or_never(text: &str) -> Result<OrNever, String> {
    if text == "never" { Ok(OrNever(None)) } else { parse(text).map(|length| OrNever(Some(length))) }
}

/// Writes a length of time as [`parse`] reads it.
pub(crate) fn show(length: Duration) -> String {
    let seconds = length.as_secs();
    let unit = UNITS.iter().skip(1).find(|(_, size)| seconds >= *size && seconds.is_multiple_of(*size));
    match unit {
        Some((name, size)) => format!("{}{name}", seconds / size),
        None => format!("{seconds}s"),
    }
}

/// The end of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End(pub(crate) Option<SystemTime>);

/// Reads `2027-01-31` (the last day, in UTC), `2027-01-31T18:00:00Z`, or `never`.
pub(crate) fn parse_end(text: &str) -> Result<End, String> {
    if text == "never" {
        return Ok(End(None));
    }
    let wrong = |_| {
        format!("`{text}` is no date; write the last day as 2027-01-31, a moment as 2027-01-31T18:00:00Z, or never")
    };
    let moment = match text.parse::<jiff::civil::Date>() {
        Ok(day) if text.len() == 10 => {
            let next = day.tomorrow().map_err(wrong)?;
            next.to_zoned(jiff::tz::TimeZone::UTC).map_err(wrong)?.timestamp()
        }
        _ => text.parse::<jiff::Timestamp>().map_err(wrong)?,
    };
    Ok(End(Some(moment.into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (text, seconds) in
            [("0", 0), ("90s", 90), ("10m", 600), ("8h", 28_800), ("90d", 7_776_000), ("2w", 1_209_600)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)));
        }
        assert_eq!(show(parse("2w").unwrap()), "14d");
        assert_eq!(["10m", "90s", "36h"].map(|text| show(parse(text).unwrap())), ["10m", "90s", "36h"]);
        assert_eq!(show(Duration::ZERO), "0s");
        for text in ["", "m", "10", "-1m", "10 m", "1.5h", "99999999999999999999d", "9999999w"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ends() {
        let unix =
            |text| parse_end(text).unwrap().0.map(|t| t.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs());
        assert_eq!(unix("never"), None);
        // The whole of the last day counts.
        assert_eq!(unix("2026-11-21"), Some(1_795_305_600));
        assert_eq!(unix("2026-11-22T00:00:00Z"), Some(1_795_305_600));
        for text in ["", "tomorrow", "2026-13-01", "2026-11-22T00:00:00"] {
            assert!(parse_end(text).is_err(), "{text}");
        }
    }
}
