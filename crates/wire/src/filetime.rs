//! FILETIME: counts of 100 ns since 1601-01-01 00:00:00 UTC.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// "Never" in `TimeStamp` fields.
pub const NEVER: u64 = 0x7fff_ffff_ffff_ffff;

/// 1601-01-01 to 1970-01-01: 369 years of which 89 leap, in units of 100 ns.
const EPOCH: u64 = (369 * 365 + 89) * 86_400 * 10_000_000;

/// The FILETIME of a point in time; times before 1601 become zero, times too far become [`NEVER`].
pub fn from_system(time: SystemTime) -> u64 {
    let ticks = |d: Duration| u64::try_from(d.as_nanos() / 100).unwrap_or(NEVER);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => EPOCH.saturating_add(ticks(after)).min(NEVER),
        Err(before) => EPOCH.saturating_sub(ticks(before.duration())),
    }
}

/// The point in time of a FILETIME, or `None` for [`NEVER`] and for what [`SystemTime`] cannot hold.
pub fn to_system(filetime: u64) -> Option<SystemTime> {
    if filetime >= NEVER {
        return None;
    }
    let ticks = |n: u64| Duration::new(n / 10_000_000, u32::try_from(n % 10_000_000).unwrap_or(0) * 100);
    match filetime.checked_sub(EPOCH) {
        Some(after) => UNIX_EPOCH.checked_add(ticks(after)),
        None => UNIX_EPOCH.checked_sub(ticks(EPOCH - filetime)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_epoch_and_a_published_point() {
        assert_eq!(from_system(UNIX_EPOCH), 116_444_736_000_000_000);
        // 2009-07-25 23:00:00 UTC is 128930364000000000 in the documentation of FileTimeToSystemTime's neighbours.
        let t = UNIX_EPOCH + Duration::from_secs(1_248_562_800);
        assert_eq!(from_system(t), 128_930_364_000_000_000);
        assert_eq!(to_system(128_930_364_000_000_000), Some(t));
        assert_eq!(to_system(NEVER), None);
        assert_eq!(from_system(to_system(0).unwrap()), 0);
    }
}
