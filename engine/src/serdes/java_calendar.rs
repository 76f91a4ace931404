//! Dates and timestamps as `java.sql.Date.valueOf` and `java.sql.Timestamp.valueOf` read them.
//!
//! One difference on purpose: a day that its month does not have (`2014-02-30`), hour 24 and second 60 roll over to
//! the next day or minute in Hive 2.3 and 3.1 and are NULL in Hive 4; here they are NULL, since a date that nobody
//! wrote is worse than none. Suspect: years of other than four digits, which only Hive 3.1 and later read, are NULL.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, date};

const EPOCH: Date = date(1970, 1, 1);

/// Days since 1970-01-01 of `2014-07-05` or `2014-7-5`.
pub(crate) fn parse_date(text: &[u8]) -> Option<i32> {
    days(plain_date(text).or_else(|| civil_date(text))?)
}

/// Nanoseconds since 1970-01-01 00:00:00 of `yyyy-[m]m-[d]d [h]h:[m]m:[s]s[.f…]`, with blanks around.
pub(crate) fn parse_timestamp(text: &[u8]) -> Option<i64> {
    let text = text.trim_ascii();
    let blank = text.iter().position(|&byte| byte == b' ')?;
    let date = civil_date(&text[..blank])?;
    let time = &text[blank + 1..];
    let (time, fraction) = match time.iter().position(|&byte| byte == b'.') {
        Some(point) => (&time[..point], Some(&time[point + 1..])),
        None => (time, None),
    };
    let mut parts = time.split(|&byte| byte == b':');
    let hour = small_number(parts.next()?, 2)?;
    let minute = small_number(parts.next()?, 2)?;
    let second = small_number(parts.next()?, 2)?;
    if parts.next().is_some() {
        return None;
    }
    let nanosecond = match fraction {
        None => 0,
        Some(digits) => small_fraction(digits)?,
    };
    let time = jiff::civil::Time::new(hour as i8, minute as i8, second as i8, nanosecond).ok()?;
    nanoseconds(DateTime::from_parts(date, time))
}

/// Appends `yyyy-mm-dd`.
pub(crate) fn write_date(days: i64, out: &mut Vec<u8>) -> Option<()> {
    let date = EPOCH.checked_add(SignedDuration::from_secs(days.checked_mul(86_400)?)).ok()?;
    out.extend_from_slice(date.to_string().as_bytes());
    Some(())
}

/// Appends `yyyy-mm-dd hh:mm:ss[.f…]`; the fraction has no trailing zeros and is left out when it is zero.
pub(crate) fn write_timestamp(seconds: i64, nanosecond: u32, out: &mut Vec<u8>) -> Option<()> {
    let civil =
        EPOCH.to_datetime(jiff::civil::Time::midnight()).checked_add(SignedDuration::from_secs(seconds)).ok()?;
    let (year, month, day) = (civil.year(), civil.month(), civil.day());
    let (hour, minute, second) = (civil.hour(), civil.minute(), civil.second());
    out.extend_from_slice(format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}").as_bytes());
    if nanosecond != 0 {
        let fraction = format!(".{nanosecond:09}");
        out.extend_from_slice(fraction.trim_end_matches('0').as_bytes());
    }
    Some(())
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

fn civil_date(text: &[u8]) -> Option<Date> {
    let mut parts = text.split(|&byte| byte == b'-');
    let year = parts.next().filter(|year| year.len() == 4)?;
    let year = small_number(year, 4)?;
    let month = small_number(parts.next()?, 2)?;
    let day = small_number(parts.next()?, 2)?;
    if parts.next().is_some() {
        return None;
    }
    Date::new(year, month as i8, day as i8).ok()
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
            let (plain, any) = (plain_date(text.as_bytes()), civil_date(text.as_bytes()));
            if plain.is_some() || text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-' {
                prop_assert_eq!(plain, any);
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
        for text in
            ["", "-", "2014-02-30", "2014-13-01", "2014-00-01", "14-07-05", "2014/07/05", "2014-07-05 ", "2014-7"]
        {
            check_date(text, "NULL");
        }
        assert_eq!(parse_date(b"2014-07-05"), Some(16_256));
    }

    #[test]
    fn timestamps() {
        check_timestamp("2014-07-05 20:00:00", "2014-07-05 20:00:00");
        check_timestamp(" 2014-7-5 1:2:3.50 ", "2014-07-05 01:02:03.5");
        check_timestamp("1969-12-31 23:59:59.000000001", "1969-12-31 23:59:59.000000001");
        for text in [
            "",
            "2014-07-05",
            "2014-07-05 20:00",
            "2014-07-05 24:00:00",
            "2014-07-05 20:00:60",
            "2014-07-05 20:00:00.",
            "2014-07-05 20:00:00.1234567890",
            "2014-07-05T20:00:00",
            "1600-01-01 00:00:00",
        ] {
            check_timestamp(text, "NULL");
        }
    }
}
