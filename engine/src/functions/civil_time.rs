//! Dates and timestamps: from Arrow's numbers to jiff's civil types and back, from text and to text.
//!
//! Source: Hive 3.1 `common.type.Date` and `Timestamp`, `TimestampUtils.stringToTimestamp`: lenient, so that month 13
//! is January of the next year. A timestamp has no zone; where an instant is needed the zone is UTC.

use std::fmt::Write;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{Span, Timestamp};

const NANOS: i64 = 1_000_000_000;
pub(super) const SECONDS_PER_DAY: i64 = 86_400;

/// The civil date of a number of days since 1970-01-01.
pub(super) fn date_of_days(days: i32) -> Option<Date> {
    let instant = Timestamp::from_second(i64::from(days) * SECONDS_PER_DAY).ok()?;
    Some(Offset::UTC.to_datetime(instant).date())
}

/// Days since 1970-01-01.
pub(super) fn days_of_date(date: Date) -> Option<i32> {
    let instant = Offset::UTC.to_timestamp(date.to_datetime(Time::midnight())).ok()?;
    i32::try_from(instant.as_second().div_euclid(SECONDS_PER_DAY)).ok()
}

/// The civil time of a number of nanoseconds since 1970-01-01.
pub(super) fn time_of_nanos(nanos: i64) -> Option<DateTime> {
    time_of_seconds(nanos.div_euclid(NANOS), nanos.rem_euclid(NANOS) as i32)
}

/// The civil time of a number of seconds since 1970-01-01.
pub(super) fn time_of_seconds(seconds: i64, nanos: i32) -> Option<DateTime> {
    Some(Offset::UTC.to_datetime(Timestamp::new(seconds, nanos).ok()?))
}

/// Nanoseconds since 1970-01-01; nothing where 64 bits do not reach.
pub(super) fn nanos_of_time(time: DateTime) -> Option<i64> {
    i64::try_from(Offset::UTC.to_timestamp(time).ok()?.as_nanosecond()).ok()
}

/// Whole seconds since 1970-01-01, rounded down.
pub(super) fn seconds_of_time(time: DateTime) -> Option<i64> {
    let instant = Offset::UTC.to_timestamp(time).ok()?;
    Some(i64::try_from(instant.as_nanosecond().div_euclid(i128::from(NANOS))).expect("jiff's range in seconds"))
}

/// Writes a date as Hive: `2014-07-05`.
pub(super) fn write_date(date: Date, out: &mut String) {
    let _ = write!(out, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day());
}

/// Writes a timestamp as Hive: `2014-07-05 20:00:00`, then a fraction if there is one, without zeros at its end.
pub(super) fn write_timestamp(time: DateTime, out: &mut String) {
    write_date(time.date(), out);
    let _ = write!(out, " {:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
    let nanos = time.subsec_nanosecond();
    if nanos != 0 {
        let fraction = format!("{nanos:09}");
        let _ = write!(out, ".{}", fraction.trim_end_matches('0'));
    }
}

/// Reads a date from text: `2014-7-5`, and whatever follows a blank is dropped.
///
/// Source: `Date.valueOf`.
pub(super) fn parse_date(text: &str) -> Option<Date> {
    let text = text.trim_matches(|c: char| c <= ' ');
    let text = text.split_once(' ').map_or(text, |(date, _)| date);
    let (date, rest) = date_part(text)?;
    rest.is_empty().then_some(date)
}

/// Reads a timestamp from text: a date alone, `2014-07-05 20:00:00.5`, ISO 8601, or either with a zone after it, whose
/// local time is kept.
pub(super) fn parse_timestamp(text: &str) -> Option<DateTime> {
    let text = text.trim_matches(|c: char| c <= ' ');
    if text.len() == "2014-07-05".len() {
        return Some(parse_date(text)?.to_datetime(Time::midnight()));
    }
    let (date, rest) = date_part(text)?;
    let midnight = date.to_datetime(Time::midnight());
    if rest.is_empty() {
        return Some(midnight);
    }
    let parsed = match rest.as_bytes()[0] {
        b' ' => time_part(midnight, &rest[1..]),
        b'T' => iso_time_part(midnight, &rest[1..]),
        _ => return None,
    };
    match parsed {
        Some((time, "")) => Some(time),
        Some((time, rest)) if is_zone(rest) => Some(time),
        // What is no time after a blank is dropped, as `Date.valueOf` does.
        _ if rest.starts_with(' ') => Some(midnight),
        _ => None,
    }
}

/// The date a text means where a date is asked for: of ten characters a date, else a timestamp's date.
///
/// Source: `PrimitiveObjectInspectorUtils.getDate`.
pub(super) fn parse_date_or_timestamp(text: &str) -> Option<Date> {
    let text = text.trim_matches(|c: char| c <= ' ');
    if text.len() == "2014-07-05".len() {
        return parse_date(text);
    }
    Some(parse_timestamp(text)?.date())
}

fn date_part(text: &str) -> Option<(Date, &str)> {
    let (year, rest) = digits(text, 1, 10)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 1, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 1, 2)?;
    Some((lenient_date(year, month, day)?, rest))
}

/// The date of a year, month and day of which month and day may lie outside their range.
pub(super) fn lenient_date(year: i64, month: i64, day: i64) -> Option<Date> {
    if let (Ok(year), Ok(month), Ok(day)) = (i16::try_from(year), i8::try_from(month), i8::try_from(day))
        && let Ok(date) = Date::new(year, month, day)
    {
        return Some(date);
    }
    let first = Date::new(i16::try_from(year).ok()?, 1, 1).ok()?;
    let first = first.checked_add(Span::new().try_months(month - 1).ok()?).ok()?;
    first.checked_add(Span::new().try_days(day - 1).ok()?).ok()
}

fn time_part(date: DateTime, text: &str) -> Option<(DateTime, &str)> {
    let (hour, rest) = digits(text, 1, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 1, 2)?;
    let (second, rest) = digits(rest.strip_prefix(':')?, 1, 2)?;
    let (nanos, rest) = fraction(rest);
    let seconds = hour * 3600 + minute * 60 + second;
    let time = date.checked_add(Span::new().try_seconds(seconds).ok()?.try_nanoseconds(nanos).ok()?).ok()?;
    Some((time, rest))
}

/// `LocalDateTime.parse`: two digits each, seconds may be missing.
fn iso_time_part(date: DateTime, text: &str) -> Option<(DateTime, &str)> {
    let (hour, rest) = digits(text, 2, 2)?;
    let (minute, mut rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
    let (mut second, mut nanos) = (0, 0);
    if let Some(after) = rest.strip_prefix(':') {
        (second, rest) = digits(after, 2, 2)?;
        (nanos, rest) = fraction(rest);
    }
    let time = Time::new(hour as i8, minute as i8, second as i8, nanos as i32).ok()?;
    Some((date.date().to_datetime(time), rest))
}

/// Up to nine digits after a point; what is beyond nine is dropped.
fn fraction(text: &str) -> (i64, &str) {
    let Some(after) = text.strip_prefix('.') else { return (0, text) };
    let length = after.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 {
        return (0, text);
    }
    let mut nanos = 0;
    for position in 0..9 {
        nanos = nanos * 10 + after.as_bytes()[..length].get(position).map_or(0, |b| i64::from(b - b'0'));
    }
    (nanos, &after[length..])
}

fn digits(text: &str, min: usize, max: usize) -> Option<(i64, &str)> {
    let length = text.bytes().take(max).take_while(u8::is_ascii_digit).count();
    if length < min {
        return None;
    }
    Some((text[..length].parse().ok()?, &text[length..]))
}

/// `Z`, `+01:00`, or the name of a zone after a blank.
fn is_zone(text: &str) -> bool {
    let zone = text.trim_start_matches(' ');
    match zone.as_bytes().first() {
        Some(b'+' | b'-') => zone[1..].bytes().all(|b| b.is_ascii_digit() || b == b':') && zone.len() > 1,
        Some(b'Z') => zone.len() == 1,
        Some(b) if b.is_ascii_alphabetic() => jiff::tz::TimeZone::get(zone).is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timestamp(text: &str) -> Option<String> {
        let mut out = String::new();
        write_timestamp(parse_timestamp(text)?, &mut out);
        Some(out)
    }

    #[test]
    fn timestamps_from_text() {
        for (text, expected) in [
            ("2014-07-05 20:00:00", Some("2014-07-05 20:00:00")),
            ("2014-7-5 2:3:4.50", Some("2014-07-05 02:03:04.5")),
            ("2014-07-05", Some("2014-07-05 00:00:00")),
            ("2014-07-05T20:01:02.123456Z", Some("2014-07-05 20:01:02.123456")),
            ("2014-07-05T20:01", Some("2014-07-05 20:01:00")),
            ("2014-07-05 20:00:00 +02:00", Some("2014-07-05 20:00:00")),
            ("2014-07-05 20:00:00.1234567891", Some("2014-07-05 20:00:00.123456789")),
            ("2014-13-01 00:00:00", Some("2015-01-01 00:00:00")),
            ("2014-07-05 24:00:00", Some("2014-07-06 00:00:00")),
            ("2014-07-05 x", Some("2014-07-05 00:00:00")),
            ("-", None),
            ("", None),
            ("05/Jul/2014", None),
        ] {
            assert_eq!(timestamp(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn dates_from_text() {
        for (text, expected) in [
            ("2014-07-05", Some((2014, 7, 5))),
            ("2014-7-5", Some((2014, 7, 5))),
            ("2014-07-05 20:00:00", Some((2014, 7, 5))),
            ("2015-02-30", Some((2015, 3, 2))),
            ("20140705", None),
            ("2014-07", None),
        ] {
            let date = parse_date_or_timestamp(text).map(|d| (d.year(), d.month(), d.day()));
            assert_eq!(date, expected, "{text}");
        }
    }

    #[test]
    fn days_and_back() {
        for days in [-719_162, -1, 0, 1, 16_256, 2_932_895] {
            assert_eq!(days_of_date(date_of_days(days).unwrap()), Some(days));
        }
        assert_eq!(seconds_of_time(time_of_nanos(-1).unwrap()), Some(-1));
    }
}
