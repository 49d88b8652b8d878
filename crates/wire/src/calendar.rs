//! Days and seconds of the Gregorian calendar, in UTC, for the times that ASN.1 writes as digits.

/// Seconds from 1970-01-01 to the end of what `rest` says behind a year: month, day, hour, minute and second of two
/// digits each, then `Z`. `None` for anything else, and for a point that no calendar has.
pub(crate) fn seconds(year: i64, rest: &[u8]) -> Option<i64> {
    let [m1, m2, d1, d2, h1, h2, i1, i2, s1, s2, b'Z'] = rest else { return None };
    let (month, day) = (pair(*m1, *m2)?, pair(*d1, *d2)?);
    let (hour, minute, second) = (pair(*h1, *h2)?, pair(*i1, *i2)?, pair(*s1, *s2)?);
    let fits = (1..=12).contains(&month)
        && (1..=days_of(month, year)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    fits.then(|| days_since_epoch(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// The same of a text that begins with a year of four digits: a GeneralizedTime without a fraction.
pub(crate) fn generalized(text: &[u8]) -> Option<i64> {
    let [a, b, c, d, rest @ ..] = text else { return None };
    seconds(pair(*a, *b)? * 100 + pair(*c, *d)?, rest)
}

/// `YYYYMMDDHHMMSSZ` of a point in time. One whose year has not four digits becomes the nearest that has.
pub(crate) fn to_generalized(seconds: i64) -> [u8; 15] {
    let seconds = seconds.clamp(FIRST, LAST);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = day_of(days);
    let pairs = [year / 100, year % 100, month, day, second / 3600, second / 60 % 60, second % 60];
    let mut text = [b'Z'; 15];
    for (to, number) in text.chunks_exact_mut(2).zip(pairs) {
        to.copy_from_slice(&[digit(number / 10), digit(number % 10)]);
    }
    text
}

/// 0000-01-01 00:00:00 and 9999-12-31 23:59:59.
const FIRST: i64 = -62_167_219_200;
const LAST: i64 = 253_402_300_799;

/// A number of two digits.
pub(crate) fn pair(a: u8, b: u8) -> Option<i64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    Some(digit(a)? * 10 + digit(b)?)
}

/// The digit of a number below ten.
fn digit(number: i64) -> u8 {
    u8::try_from(number).map_or(b'0', |number| b'0' + number % 10)
}

const fn days_of(month: i64, year: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from 1970-01-01 to a day of the Gregorian calendar, of the years 0 to 9999.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March have their odd day last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leaps + (153 * month + 2) / 5 + day - 719_469
}

/// Year, month and day of a number of days since 1970-01-01: what [`days_since_epoch`] came from.
fn day_of(days: i64) -> (i64, i64, i64) {
    // Near enough, for no year is longer than 366 days; then corrected by at most a few.
    let mut year = (days + 719_528) / 366;
    while days_since_epoch(year + 1, 1, 1) <= days {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && days_since_epoch(year, month + 1, 1) <= days {
        month += 1;
    }
    (year, month, days - days_since_epoch(year, month, 1) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_there_and_back() {
        // The calendar repeats after 146 097 days, which five does not divide: in the end each day has its turn.
        for day in (FIRST / 86_400..=LAST / 86_400).step_by(5) {
            for second in [0, 86_399] {
                let at = day * 86_400 + second;
                assert_eq!(generalized(&to_generalized(at)), Some(at), "{day}");
            }
        }
        assert_eq!(&to_generalized(i64::MAX), b"99991231235959Z");
        assert_eq!(&to_generalized(i64::MIN), b"00000101000000Z");
        // Against `date -u -d @771228197`.
        assert_eq!(&to_generalized(771_228_197), b"19940610060317Z");
    }
}
