//! Dates and timestamps of text columns.
//!
//! Source: Hive 3.1 `common.type.Date.valueOf` and `Timestamp.valueOf`, whose formatters are lenient: month 13 is January
//! of the next year and 24:00 the next day's midnight. Hive 2.3 (`java.sql.Date.valueOf`) gives NULL for a month beyond 12
//! or a day beyond 31 and rolls 30 February over; Hive 4 gives NULL for all of them. CAST reads text by the same rule.

use jiff::civil::{Date, DateTime, Time, date};
use jiff::{SignedDuration, Span};

const EPOCH: Date = date(1970, 1, 1);

/// Days since 1970-01-01 of `2014-07-05` or `2014-7-5`, with blanks around; what follows a blank is dropped.
pub(crate) fn parse_date(text: &[u8]) -> Option<i32> {
    days(plain_date(text).or_else(|| any_date(text))?)
}

/// Nanoseconds since 1970-01-01 00:00:00 of `yyyy-[m]m-[d]d [h]h:[m]m:[s]s[.f…]` or of ISO 8601, with blanks around.
pub(crate) fn parse_timestamp(text: &[u8]) -> Option<i64> {
    let text = text.trim_ascii();
    let gap = text.iter().position(|&byte| matches!(byte, b' ' | b'T'))?;
    let (date, time) = (&text[..gap], &text[gap + 1..]);
    let (time, fraction) = match time.iter().position(|&byte| byte == b'.') {
        Some(point) => (&time[..point], Some(&time[point + 1..])),
        None => (time, None),
    };
    let mut parts = time.split(|&byte| byte == b':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next());
    if parts.next().is_some() || second.is_none() && fraction.is_some() {
        return None;
    }
    let nanosecond = match fraction {
        None => 0,
        Some(digits) => small_fraction(digits)?,
    };
    if text[gap] == b'T' {
        return nanoseconds(iso_date(date)?.to_datetime(iso_time(hour, minute, second, nanosecond)?));
    }
    let (hour, minute, second) = (small_number(hour, 2)?, small_number(minute, 2)?, small_number(second?, 2)?);
    let clock = SignedDuration::new(i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second), nanosecond);
    nanoseconds(civil_date(date)?.to_datetime(Time::midnight()).checked_add(clock).ok()?)
}

/// `LocalDateTime.parse` is strict: four and two digits each, and no value beyond the calendar.
fn iso_date(text: &[u8]) -> Option<Date> {
    let [year @ .., b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let year = small_number(year, 4).filter(|_| year.len() == 4)?;
    Date::new(year, small_number(&[*m1, *m2], 2)? as i8, small_number(&[*d1, *d2], 2)? as i8).ok()
}

/// As of [`iso_date`]; the seconds may be missing.
fn iso_time(hour: &[u8], minute: &[u8], second: Option<&[u8]>, nanosecond: i32) -> Option<Time> {
    let two_digits = |text: &[u8]| small_number(text, 2).filter(|_| text.len() == 2);
    let second = second.map_or(Some(0), two_digits)?;
    Time::new(two_digits(hour)? as i8, two_digits(minute)? as i8, second as i8, nanosecond).ok()
}

/// Appends `yyyy-mm-dd`.
pub(crate) fn write_date(days: i64, out: &mut Vec<u8>) -> Option<()> {
    let date = EPOCH.checked_add(SignedDuration::from_secs(days.checked_mul(86_400)?)).ok()?;
    out.extend_from_slice(date.to_string().as_bytes());
    Some(())
}

/// Appends `yyyy-mm-dd hh:mm:ss[.f…]`; the fraction has no trailing zeros and is left out when it is zero.
pub(crate) fn write_timestamp(seconds: i64, nanosecond: u32, out: &mut Vec<u8>) -> Option<()> {
    let civil = EPOCH.to_datetime(Time::midnight()).checked_add(SignedDuration::from_secs(seconds)).ok()?;
    let (year, month, day) = (civil.year(), civil.month(), civil.day());
    let (hour, minute, second) = (civil.hour(), civil.minute(), civil.second());
    out.extend_from_slice(format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}").as_bytes());
    if nanosecond != 0 {
        let fraction = format!(".{nanosecond:09}");
        out.extend_from_slice(fraction.trim_end_matches('0').as_bytes());
    }
    Some(())
}

fn any_date(text: &[u8]) -> Option<Date> {
    let text = text.trim_ascii();
    let end = text.iter().position(|&byte| byte == b' ').unwrap_or(text.len());
    civil_date(&text[..end])
}

/// The day that `yyyy-mm-dd` says, with all its digits.
fn plain_date(text: &[u8]) -> Option<Date> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
        return None;
    };
    let digits = [y1, y2, y3, y4, m1, m2, d1, d2].map(|byte| byte.wrapping_sub(b'0'));
    if digits.iter().any(|&digit| digit > 9) {
        return None;
    }
    let [y1, y2, y3, y4, m1, m2, d1, d2] = digits.map(i16::from);
    Date::new(y1 * 1000 + y2 * 100 + y3 * 10 + y4, (m1 * 10 + m2) as i8, (d1 * 10 + d2) as i8).ok()
}

/// The date of a year, month and day of which month and day may be any two digits.
fn civil_date(text: &[u8]) -> Option<Date> {
    let mut parts = text.split(|&byte| byte == b'-');
    let year = small_number(parts.next()?, 4)?;
    let month = small_number(parts.next()?, 2)?;
    let day = small_number(parts.next()?, 2)?;
    if parts.next().is_some() {
        return None;
    }
    Date::new(year, month as i8, day as i8).ok().or_else(|| {
        let months = Span::new().try_months(month - 1).ok()?;
        let days = Span::new().try_days(day - 1).ok()?;
        Date::new(year, 1, 1).ok()?.checked_add(months).ok()?.checked_add(days).ok()
    })
}

fn small_number(digits: &[u8], length_max: usize) -> Option<i16> {
    if digits.is_empty() || digits.len() > length_max || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |number, digit| number * 10 + i16::from(digit - b'0')))
}

/// Nanoseconds of the digits after the point: one to nine of them.
fn small_fraction(digits: &[u8]) -> Option<i32> {
    if digits.is_empty() || digits.len() > 9 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0, |number, digit| number * 10 + i32::from(digit - b'0'));
    Some(number * 10_i32.pow(9 - digits.len() as u32))
}

fn days(date: Date) -> Option<i32> {
    (date.duration_since(EPOCH).as_secs() / 86_400).try_into().ok()
}

fn nanoseconds(civil: DateTime) -> Option<i64> {
    // A timestamp has no zone: the count is that of the same clock face in UTC.
    let timestamp = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
    timestamp.as_nanosecond().try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn plain_dates_are_dates(text in "[0-9]{4}-[01][0-9]-[0-3][0-9]|[-0-9/ ]{10}|(?s:.{8,10})") {
            let any = any_date(text.as_bytes());
            if let Some(plain) = plain_date(text.as_bytes()) {
                prop_assert_eq!(Some(plain), any);
            }
            prop_assert_eq!(parse_date(text.as_bytes()), any.map(|date| EPOCH.until(date).unwrap().get_days()));
        }
    }

    #[track_caller]
    fn check_date(text: &str, expect: &str) {
        let mut out = Vec::new();
        match parse_date(text.as_bytes()) {
            Some(days) => write_date(days.into(), &mut out).unwrap(),
            None => out.extend_from_slice(b"NULL"),
        }
        assert_eq!(String::from_utf8(out).unwrap(), expect, "{text:?}");
    }

    #[track_caller]
    fn check_timestamp(text: &str, expect: &str) {
        let mut out = Vec::new();
        match parse_timestamp(text.as_bytes()) {
            Some(nanos) => {
                let second = 1_000_000_000;
                write_timestamp(nanos.div_euclid(second), nanos.rem_euclid(second) as u32, &mut out).unwrap();
            }
            None => out.extend_from_slice(b"NULL"),
        }
        assert_eq!(String::from_utf8(out).unwrap(), expect, "{text:?}");
    }

    #[test]
    fn dates() {
        check_date("2014-07-05", "2014-07-05");
        check_date("2014-7-5", "2014-07-05");
        check_date("1969-12-31", "1969-12-31");
        check_date("0001-01-01", "0001-01-01");
        check_date("9999-12-31", "9999-12-31");
        check_date(" 2014-07-05 x", "2014-07-05");
        check_date("2014-02-30", "2014-03-02");
        check_date("2014-13-05", "2015-01-05");
        check_date("2014-00-01", "2013-12-01");
        check_date("2014-99-99", "2022-06-07");
        check_date("14-07-05", "0014-07-05");
        for text in ["", "-", "2014/07/05", "2014-7", "2014-07-055", "-2014-07-05", "2014-07-05x", "9999-12-32"] {
            check_date(text, "NULL");
        }
        assert_eq!(parse_date(b"2014-07-05"), Some(16_256));
    }

    #[test]
    fn timestamps() {
        check_timestamp("2014-07-05 20:00:00", "2014-07-05 20:00:00");
        check_timestamp(" 2014-7-5 1:2:3.50 ", "2014-07-05 01:02:03.5");
        check_timestamp("1969-12-31 23:59:59.000000001", "1969-12-31 23:59:59.000000001");
        check_timestamp("2014-07-05 24:00:00", "2014-07-06 00:00:00");
        check_timestamp("2014-02-30 20:00:60", "2014-03-02 20:01:00");
        check_timestamp("2014-07-05T20:00:00.5", "2014-07-05 20:00:00.5");
        check_timestamp("2014-07-05T20:01", "2014-07-05 20:01:00");
        for text in [
            "",
            "2014-07-05",
            "2014-07-05 20:00",
            "2014-07-05 20:00:00.",
            "2014-07-05 20:00:00.1234567890",
            "2014-07-05T24:00:00",
            "2014-07-05T20:00:00Z",
            "2014-7-5T20:00:00",
            "2014-07-05T",
            "2014-07-05T20",
            "2014-07-05T20:00:60",
            "2014-02-30T20:00:00",
            "1600-01-01 00:00:00",
        ] {
            check_timestamp(text, "NULL");
        }
    }
}
