use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// When an account may log on: one bit for each hour of a week, in UTC, as the attribute logonHours of Active Directory
/// has it (MS-SAMR 2.2.6.5): Sunday 00:00 is the lowest bit of the first byte.
///
/// ```
/// use portcullis_authority::LogonHours;
/// let hours: LogonHours = "mon-fri 08:00-18:00, sat 10:00-12:00".parse().unwrap();
/// assert_eq!(hours.to_string(), "mon-fri 08:00-18:00, sat 10:00-12:00");
/// assert!("mon 08:30-18:00".parse::<LogonHours>().is_err()); // whole hours only
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogonHours([u8; 21]);

const HOURS: usize = 168;
const HOUR: Duration = Duration::from_secs(3600);
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl LogonHours {
    /// At any hour.
    pub const ALL: Self = Self([0xff; 21]);
    /// At no hour.
    pub const NONE: Self = Self([0; 21]);

    /// The bitmap, as Active Directory keeps it.
    pub const fn to_bytes(self) -> [u8; 21] {
        self.0
    }

    /// The hours of a bitmap.
    pub const fn from_bytes(bytes: [u8; 21]) -> Self {
        Self(bytes)
    }

    /// Whether the hour that `time` lies in is allowed.
    pub fn allow(&self, time: SystemTime) -> bool {
        self.has(hour_of_week(time))
    }

    /// When the allowed hours around `time` end; `None` when they never do. Meaningless for a time that is not allowed.
    pub fn end_after(&self, time: SystemTime) -> Option<SystemTime> {
        let first = hour_of_week(time);
        let into_hour = time.duration_since(UNIX_EPOCH).map(|t| t.as_nanos() % HOUR.as_nanos()).unwrap_or(0);
        let start = time.checked_sub(Duration::from_nanos(u64::try_from(into_hour).unwrap_or(0)))?;
        let ahead = (1..=HOURS).find(|ahead| !self.has((first + ahead) % HOURS))?;
        start.checked_add(HOUR.saturating_mul(u32::try_from(ahead).unwrap_or(1)))
    }

    fn has(&self, hour: usize) -> bool {
        self.0.get(hour / 8).is_some_and(|byte| byte >> (hour % 8) & 1 == 1)
    }

    fn set(&mut self, hour: usize) {
        if let Some(byte) = self.0.get_mut(hour % HOURS / 8) {
            *byte |= 1 << (hour % 8);
        }
    }

    /// The allowed ranges of a day, each as its first hour and the hour that it ends before.
    fn ranges(&self, day: usize) -> Vec<(usize, usize)> {
        let mut ranges: Vec<(usize, usize)> = Vec::new();
        for hour in (0..24).filter(|hour| self.has(day * 24 + hour)) {
            match ranges.last_mut() {
                Some((_, end)) if *end == hour => *end += 1,
                _ => ranges.push((hour, hour + 1)),
            }
        }
        ranges
    }
}

/// 1970-01-01 was a Thursday: four days after the Sunday that a week begins with.
fn hour_of_week(time: SystemTime) -> usize {
    let hours = time.duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs() / 3600);
    usize::try_from((hours + 4 * 24) % HOURS as u64).unwrap_or(0)
}

impl Default for LogonHours {
    fn default() -> Self {
        Self::ALL
    }
}

impl fmt::Display for LogonHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ALL => return f.write_str("all"),
            Self::NONE => return f.write_str("none"),
            _ => {}
        }
        // A week for people begins on Monday.
        let week: Vec<usize> = (1..=7).map(|day| day % 7).collect();
        let mut parts = Vec::new();
        for same in week.chunk_by(|a, b| self.ranges(*a) == self.ranges(*b)) {
            let (Some(first), Some(last)) = (same.first(), same.last()) else { continue };
            let name = |day: &usize| DAYS.get(*day).copied().unwrap_or_default();
            let days = if first == last { name(first).to_owned() } else { format!("{}-{}", name(first), name(last)) };
            parts.extend(self.ranges(*first).iter().map(|(from, to)| format!("{days} {from:02}:00-{to:02}:00")));
        }
        f.write_str(&parts.join(", "))
    }
}

/// The text does not describe logon hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a range of logon hours; write `all`, `none`, or ranges in UTC like `mon-fri 08:00-18:00, sat 10:00-12:00` \
     (whole hours; days are mon tue wed thu fri sat sun)"
)]
pub struct NotLogonHours(String);

impl FromStr for LogonHours {
    type Err = NotLogonHours;

    fn from_str(text: &str) -> Result<Self, NotLogonHours> {
        match text.trim().to_ascii_lowercase().as_str() {
            "all" | "any" => return Ok(Self::ALL),
            "none" => return Ok(Self::NONE),
            _ => {}
        }
        let mut hours = Self::NONE;
        for part in text.split([',', ';']) {
            add_range(&mut hours, &part.trim().to_ascii_lowercase())
                .ok_or_else(|| NotLogonHours(part.trim().into()))?;
        }
        Ok(hours)
    }
}

/// Adds `mon-fri 08:00-18:00`; a range that ends before it begins ends on the next day.
fn add_range(hours: &mut LogonHours, text: &str) -> Option<()> {
    let (days, times) = text.split_once(char::is_whitespace).unwrap_or((text, "00:00-24:00"));
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let day = |name: &str| DAYS.iter().position(|day| *day == name);
    let (first, last) = (day(first)?, day(last)?);
    let (from, to) = times.trim().split_once('-')?;
    let (from, to) = (hour(from)?, hour(to)?);
    if from == to || from == 24 {
        return None;
    }
    let length = if to > from { to - from } else { to + 24 - from };
    for day in 0..=(last + 7 - first) % 7 {
        let start = (first + day) % 7 * 24 + from;
        (start..start + length).for_each(|hour| hours.set(hour % HOURS));
    }
    Some(())
}

fn hour(text: &str) -> Option<usize> {
    let (hour, minutes) = text.trim().split_once(':').unwrap_or((text.trim(), "00"));
    let all_digits = !hour.is_empty() && hour.len() <= 2 && hour.bytes().all(|b| b.is_ascii_digit());
    hour.parse().ok().filter(|hour| all_digits && *hour <= 24 && minutes == "00")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22 was a Sunday.
    const SUNDAY: u64 = 1_795_305_600;

    fn at(day: u64, hour: u64, minute: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(SUNDAY + day * 86_400 + hour * 3600 + minute * 60)
    }

    #[test]
    fn office_hours() {
        let hours: LogonHours = "Mon-Fri 08:00-18:00".parse().unwrap();
        assert!(!hours.allow(at(0, 12, 0)));
        assert!(!hours.allow(at(1, 7, 59)));
        assert!(hours.allow(at(1, 8, 0)));
        assert!(hours.allow(at(5, 17, 59)));
        assert!(!hours.allow(at(5, 18, 0)));
        assert_eq!(hours.end_after(at(1, 8, 30)), Some(at(1, 18, 0)));
        assert_eq!(hours.to_string(), "mon-fri 08:00-18:00");
        // Monday 08:00 is hour 32: bit 0 of byte 4.
        assert_eq!(hours.to_bytes()[3..6], [0x00, 0xff, 0x03]);
    }

    #[test]
    fn nights_wrap_and_weeks_do() {
        let hours: LogonHours = "sat 22:00-06:00".parse().unwrap();
        assert!(hours.allow(at(6, 23, 0)) && hours.allow(at(0, 5, 0)) && !hours.allow(at(0, 6, 0)));
        assert_eq!(hours.end_after(at(6, 23, 10)), Some(at(7, 6, 0)));
        assert_eq!(LogonHours::ALL.end_after(at(3, 3, 3)), None);
        let days: LogonHours = "fri-mon".parse().unwrap();
        assert!(days.allow(at(5, 0, 0)) && days.allow(at(1, 23, 0)) && !days.allow(at(2, 0, 0)));
    }

    #[test]
    fn text_survives() {
        for text in ["all", "none", "tue 00:00-24:00", "mon 08:00-10:00, mon 12:00-14:00, sun 01:00-02:00"] {
            let hours: LogonHours = text.parse().unwrap();
            assert_eq!(hours.to_string(), text);
        }
        for text in ["", "mon", "someday 08:00-18:00", "mon 8-25", "mon 08:00-08:00", "mon 24:00-08:00", "mon 08:00"] {
            assert_eq!(text.parse::<LogonHours>().is_ok(), text == "mon", "{text}");
        }
    }
}
