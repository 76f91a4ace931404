//! Java's `SimpleDateFormat`: the patterns of `unix_timestamp`, `from_unixtime` and `date_format`.
//!
//! English names, zone UTC, lenient as Java's default: month 13 is January of the next year, what follows the parsed
//! part is not looked at. Letters: `G y Y M d D H k K h m s S E u a w W F z Z X`, and text between quotes.
//!
//! Differs: `Y`, `w`, `W`, `F`, `E` and `u` are read and then not used to find the date.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, LazyLock, Mutex};

use datafusion::common::{Result, plan_err};
use jiff::Span;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;

use super::civil_time::{lenient_date, seconds_of_time};
use super::time_zone::zone_of_name;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A pattern, taken apart.
#[derive(Debug, PartialEq)]
pub(super) struct DatePattern {
    items: Vec<Item>,
}

#[derive(Debug, PartialEq)]
enum Item {
    Field(char, usize),
    Literal(String),
}

static CACHE: LazyLock<Mutex<HashMap<String, Arc<DatePattern>>>> = LazyLock::new(Mutex::default);

/// Takes a pattern apart, or takes it from those seen before.
///
/// Errors: a plan error for a letter that means nothing, or an open quote.
pub(super) fn compile(pattern: &str) -> Result<Arc<DatePattern>> {
    let mut cache = CACHE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(found) = cache.get(pattern) {
        return Ok(Arc::clone(found));
    }
    if cache.len() >= 256 {
        cache.clear();
    }
    let compiled = Arc::new(parse_pattern(pattern)?);
    cache.insert(pattern.to_owned(), Arc::clone(&compiled));
    Ok(compiled)
}

fn parse_pattern(pattern: &str) -> Result<DatePattern> {
    let mut items: Vec<Item> = Vec::new();
    let mut literal = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            if chars.next_if_eq(&'\'').is_some() {
                literal.push('\'');
                continue;
            }
            loop {
                match chars.next() {
                    Some('\'') if chars.next_if_eq(&'\'').is_some() => literal.push('\''),
                    Some('\'') => break,
                    Some(c) => literal.push(c),
                    None => return plan_err!("the date pattern {pattern:?} has a quote that is not closed"),
                }
            }
        } else if c.is_ascii_alphabetic() {
            if !"GyYMLdDHkKhmsSEuawWFzZX".contains(c) {
                return plan_err!("the date pattern {pattern:?} has the letter {c}, which means nothing");
            }
            let mut count = 1;
            while chars.next_if_eq(&c).is_some() {
                count += 1;
            }
            if !literal.is_empty() {
                items.push(Item::Literal(std::mem::take(&mut literal)));
            }
            items.push(Item::Field(c, count));
        } else {
            literal.push(c);
        }
    }
    if !literal.is_empty() {
        items.push(Item::Literal(literal));
    }
    Ok(DatePattern { items })
}

impl DatePattern {
    /// Writes a time of zone UTC.
    pub fn format(&self, time: DateTime, out: &mut String) {
        for item in &self.items {
            match item {
                Item::Literal(text) => out.push_str(text),
                Item::Field(letter, count) => write_field(*letter, *count, time, out),
            }
        }
    }

    /// Reads a time from the beginning of `text`, as seconds since 1970-01-01 and milliseconds after them.
    pub fn parse(&self, text: &str) -> Option<(i64, i64)> {
        let mut fields = Fields::default();
        let mut rest = text;
        for (position, item) in self.items.iter().enumerate() {
            match item {
                Item::Literal(literal) => rest = rest.strip_prefix(literal.as_str())?,
                Item::Field(letter, count) => {
                    // Only where digits follow without anything between does the count bind.
                    let abuts =
                        matches!(self.items.get(position + 1), Some(Item::Field(next, n)) if is_number(*next, *n));
                    let width = if abuts && is_number(*letter, *count) { *count } else { usize::MAX };
                    rest = fields.read(*letter, *count, width, rest)?;
                }
            }
        }
        fields.instant()
    }
}

fn is_number(letter: char, count: usize) -> bool {
    match letter {
        'M' | 'L' => count < 3,
        _ => "yYdDHkKhmsSuwWF".contains(letter),
    }
}

fn write_field(letter: char, count: usize, time: DateTime, out: &mut String) {
    let hour = i64::from(time.hour());
    let date = time.date();
    let weekday = date.weekday().to_monday_one_offset();
    let mut number = |value: i64| {
        let _ = write!(out, "{value:0count$}");
    };
    match letter {
        'y' if count == 2 => number(i64::from(date.year().rem_euclid(100))),
        'y' => number(i64::from(date.year())),
        'Y' => number(i64::from(week_of_year(time).0)),
        'M' | 'L' if count >= 4 => out.push_str(MONTHS[date.month() as usize - 1]),
        'M' | 'L' if count == 3 => out.push_str(&MONTHS[date.month() as usize - 1][..3]),
        'M' | 'L' => number(i64::from(date.month())),
        'd' => number(i64::from(date.day())),
        'D' => number(i64::from(date.day_of_year())),
        'H' => number(hour),
        'k' => number(if hour == 0 { 24 } else { hour }),
        'K' => number(hour % 12),
        'h' => number(if hour % 12 == 0 { 12 } else { hour % 12 }),
        'm' => number(i64::from(time.minute())),
        's' => number(i64::from(time.second())),
        'S' => number(i64::from(time.subsec_nanosecond() / 1_000_000)),
        'u' => number(i64::from(weekday)),
        'w' => number(i64::from(week_of_year(time).1)),
        'W' => {
            let first = i64::from(date.first_of_month().weekday().to_sunday_zero_offset());
            number((i64::from(date.day()) - 1 + first) / 7 + 1);
        }
        'F' => number((i64::from(date.day()) - 1) / 7 + 1),
        'E' if count >= 4 => out.push_str(DAYS[weekday as usize - 1]),
        'E' => out.push_str(&DAYS[weekday as usize - 1][..3]),
        'a' => out.push_str(if hour < 12 { "AM" } else { "PM" }),
        'G' => out.push_str(if date.year() > 0 { "AD" } else { "BC" }),
        'z' if count >= 4 => out.push_str("Coordinated Universal Time"),
        'z' => out.push_str("UTC"),
        'Z' => out.push_str("+0000"),
        _ => out.push('Z'),
    }
}

/// Week-year and week as Java counts them in the United States: weeks begin on Sunday, the first holds 1 January.
fn week_of_year(time: DateTime) -> (i16, i16) {
    let date = time.date();
    let offset = |first: jiff::civil::Date| i16::from(first.weekday().to_sunday_zero_offset());
    let week = (date.day_of_year() - 1 + offset(date.first_of_year())) / 7 + 1;
    // The days before 1 January of the next year belong to its first week.
    let left = date.days_in_year() - date.day_of_year();
    let next = i16::from(date.last_of_year().weekday().to_sunday_zero_offset()) + 1;
    if next < 7 && left < next { (date.year() + 1, 1) } else { (date.year(), week) }
}

#[derive(Debug, Default)]
struct Fields {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: Option<i64>,
    /// Of a clock of twelve hours.
    half_hour: Option<i64>,
    afternoon: bool,
    minute: i64,
    second: i64,
    millis: i64,
    zone: Option<TimeZone>,
    before_christ: bool,
}

impl Fields {
    fn read<'a>(&mut self, letter: char, count: usize, width: usize, text: &'a str) -> Option<&'a str> {
        let text = text.trim_start_matches([' ', '\t']);
        match letter {
            'M' | 'L' if count >= 3 => {
                let (month, rest) = name(text, &MONTHS)?;
                self.month = Some(month as i64 + 1);
                return Some(rest);
            }
            'E' => return name(text, &DAYS).map(|(_, rest)| rest),
            'a' => {
                let (half, rest) = name(text, &["AM", "PM"])?;
                self.afternoon = half == 1;
                return Some(rest);
            }
            'G' => {
                let (era, rest) = name(text, &["BC", "AD"])?;
                self.before_christ = era == 0;
                return Some(rest);
            }
            'z' | 'Z' | 'X' => {
                let (zone, rest) = zone(text, letter == 'X')?;
                self.zone = Some(zone);
                return Some(rest);
            }
            _ => {}
        }
        let length = text.bytes().take(width).take_while(u8::is_ascii_digit).count();
        let value: i64 = text[..length].parse().ok()?;
        match letter {
            'y' if count <= 2 && length == 2 => self.year = Some(century(value)),
            'y' => self.year = Some(value),
            'M' | 'L' => self.month = Some(value),
            'd' => self.day = Some(value),
            'D' => self.day_of_year = Some(value),
            'H' => self.hour = Some(value),
            'k' => self.hour = Some(if value == 24 { 0 } else { value }),
            'K' => self.half_hour = Some(value),
            'h' => self.half_hour = Some(if value == 12 { 0 } else { value }),
            'm' => self.minute = value,
            's' => self.second = value,
            'S' => self.millis = value,
            _ => {}
        }
        Some(&text[length..])
    }

    fn instant(self) -> Option<(i64, i64)> {
        let year = self.year.unwrap_or(1970);
        let year = if self.before_christ { 1 - year } else { year };
        let date = match self.day_of_year {
            Some(day) if self.month.is_none() && self.day.is_none() => lenient_date(year, 1, day)?,
            _ => lenient_date(year, self.month.unwrap_or(1), self.day.unwrap_or(1))?,
        };
        let hour = self.hour.or(self.half_hour.map(|h| h + if self.afternoon { 12 } else { 0 })).unwrap_or(0);
        let seconds = hour.checked_mul(3600)?.checked_add(self.minute.checked_mul(60)?)?.checked_add(self.second)?;
        let span = Span::new().try_seconds(seconds + self.millis.div_euclid(1000)).ok()?;
        let time = date.to_datetime(Time::midnight()).checked_add(span).ok()?;
        let millis = self.millis.rem_euclid(1000);
        let seconds = match self.zone {
            None => seconds_of_time(time)?,
            Some(zone) => zone.to_ambiguous_timestamp(time).compatible().ok()?.as_second(),
        };
        Some((seconds, millis))
    }
}

/// Two digits lie between 80 years ago and 20 years from now.
fn century(year: i64) -> i64 {
    let start = i64::from(jiff::Timestamp::now().to_zoned(TimeZone::UTC).year()) - 80;
    let candidate = start - start.rem_euclid(100) + year;
    if candidate < start { candidate + 100 } else { candidate }
}

/// The longest of the names, or of their first three letters, that `text` begins with, whatever the case.
fn name<'a>(text: &'a str, names: &[&str]) -> Option<(usize, &'a str)> {
    let begins = |name: &str| text.get(..name.len()).is_some_and(|t| t.eq_ignore_ascii_case(name));
    let full = names.iter().position(|name| begins(name)).map(|position| (position, names[position].len()));
    let short = || names.iter().position(|n| n.len() > 3 && begins(&n[..3])).map(|position| (position, 3));
    let (position, length) = full.or_else(short)?;
    Some((position, &text[length..]))
}

/// `+0200`, `-08:00`, `GMT+2:00`, `Z` where ISO is asked for, or the name of a zone.
fn zone(text: &str, iso: bool) -> Option<(TimeZone, &str)> {
    if iso && let Some(rest) = text.strip_prefix('Z') {
        return Some((TimeZone::UTC, rest));
    }
    let offset = text.strip_prefix("GMT").or_else(|| text.strip_prefix("UTC")).unwrap_or(text);
    if offset.starts_with(['+', '-']) {
        let digits: String = offset[1..].chars().take_while(|c| c.is_ascii_digit() || *c == ':').collect();
        let rest = &offset[1 + digits.len()..];
        let (hours, minutes) = match digits.split_once(':') {
            Some((hours, minutes)) => (hours, minutes),
            None if digits.len() > 2 => digits.split_at(digits.len() - 2),
            None => (digits.as_str(), "0"),
        };
        let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
        let seconds = if offset.starts_with('-') { -seconds } else { seconds };
        return Some((TimeZone::fixed(jiff::tz::Offset::from_seconds(seconds).ok()?), rest));
    }
    if iso {
        return None;
    }
    let length = text.find(|c: char| !c.is_ascii_alphanumeric() && !"/_".contains(c)).unwrap_or(text.len());
    Some((zone_of_name(&text[..length])?, &text[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, pattern: &str) -> Option<i64> {
        compile(pattern).unwrap().parse(text).map(|(seconds, _)| seconds)
    }

    #[test]
    fn reads() {
        for (text, pattern, expected) in [
            ("2014-07-05 20:00:00", "yyyy-MM-dd HH:mm:ss", Some(1_404_590_400)),
            ("2014-07-05", "yyyy-MM-dd HH:mm:ss", None),
            ("2014-07-05 20:00:00.123", "yyyy-MM-dd HH:mm:ss", Some(1_404_590_400)),
            ("[05/Jul/2014:22:00:00 +0200]", "[dd/MMM/yyyy:HH:mm:ss Z]", Some(1_404_590_400)),
            ("05/July/2014", "dd/MMM/yyyy", Some(1_404_518_400)),
            ("20140705200000", "yyyyMMddHHmmss", Some(1_404_590_400)),
            ("2014-07-05T20:00:00Z", "yyyy-MM-dd'T'HH:mm:ss'Z'", Some(1_404_590_400)),
            ("2014-07-05T20:00:00Z", "yyyy-MM-dd'T'HH:mm:ssX", Some(1_404_590_400)),
            ("2014-07-05T20:00:00.000500Z", "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'", Some(1_404_590_400)),
            ("Sat Jul 05 20:00:00 UTC 2014", "EEE MMM dd HH:mm:ss z yyyy", Some(1_404_590_400)),
            ("5/7/14 8:00 pm", "d/M/yy h:mm a", Some(1_404_590_400)),
            ("2014-13-01", "yyyy-MM-dd", Some(1_420_070_400)),
            ("-", "yyyy-MM-dd", None),
        ] {
            assert_eq!(parse(text, pattern), expected, "{text}");
        }
    }

    #[test]
    fn writes() {
        let time = jiff::civil::datetime(2014, 7, 5, 20, 1, 2, 7_000_000);
        for (pattern, expected) in [
            ("yyyy-MM-dd HH:mm:ss.SSS", "2014-07-05 20:01:02.007"),
            ("EEE, d MMM yy", "Sat, 5 Jul 14"),
            ("EEEE MMMM u", "Saturday July 6"),
            ("hh:mm a 'o''clock'", "08:01 PM o'clock"),
            ("D w k K", "186 27 20 8"),
            ("Z z X", "+0000 UTC Z"),
            ("yyyy/MM/dd/HH", "2014/07/05/20"),
        ] {
            let mut out = String::new();
            compile(pattern).unwrap().format(time, &mut out);
            assert_eq!(out, expected, "{pattern}");
        }
        assert!(compile("bb").is_err());
        assert!(compile("'open").is_err());
    }
}
