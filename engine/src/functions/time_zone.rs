//! Zones by name, as `java.util.TimeZone` knows them, and moving timestamps between them.
//!
//! Source: Hive `GenericUDFFromUtcTimestamp`, `GenericUDFToUtcTimestamp`. A name that is not known is an error here; in
//! Java it is quietly GMT.

use arrow::array::ArrayRef;
use datafusion::common::{Result, exec_err};
use jiff::tz::{Offset, TimeZone};

use super::builtin::{Arguments, Builtin, Kind};
use super::civil_time::{nanos_of_time, time_of_nanos};

pub(super) fn builtins() -> Vec<Builtin> {
    let takes: &'static [Kind] = &[Kind::Timestamp, Kind::String];
    vec![
        Builtin::fixed("from_utc_timestamp", takes, 0, Kind::Timestamp, |a| moved(a, from_utc)),
        Builtin::fixed("to_utc_timestamp", takes, 0, Kind::Timestamp, |a| moved(a, to_utc)),
    ]
}

fn moved(arguments: &Arguments, f: fn(i64, &TimeZone) -> Option<i64>) -> Result<ArrayRef> {
    let (times, names) = (arguments.timestamps(0)?, arguments.strings(1)?);
    let mut last: Option<(&str, TimeZone)> = None;
    let mut unknown = None;
    let result = arguments.to_timestamps(|row| {
        let (time, name) = (times.get(row)?, names.get(row)?);
        if last.as_ref().is_none_or(|(last, _)| *last != name) {
            match zone_of_name(name) {
                Some(zone) => last = Some((name, zone)),
                None => unknown = Some(name),
            }
        }
        f(time, last.as_ref().filter(|(last, _)| *last == name).map(|(_, zone)| zone)?)
    });
    match unknown {
        Some(name) => exec_err!("no time zone named {name:?}"),
        None => result,
    }
}

fn from_utc(nanos: i64, zone: &TimeZone) -> Option<i64> {
    let instant = Offset::UTC.to_timestamp(time_of_nanos(nanos)?).ok()?;
    nanos_of_time(zone.to_datetime(instant))
}

fn to_utc(nanos: i64, zone: &TimeZone) -> Option<i64> {
    let instant = zone.to_ambiguous_timestamp(time_of_nanos(nanos)?).compatible().ok()?;
    i64::try_from(instant.as_nanosecond()).ok()
}

/// A zone by the name of a place, by Java's short names, or as `GMT+8`.
pub(super) fn zone_of_name(name: &str) -> Option<TimeZone> {
    let place = match name {
        "UTC" | "GMT" | "Z" | "UT" => return Some(TimeZone::UTC),
        "EST" | "-05:00" => return Some(TimeZone::fixed(jiff::tz::offset(-5))),
        "MST" => return Some(TimeZone::fixed(jiff::tz::offset(-7))),
        "HST" => return Some(TimeZone::fixed(jiff::tz::offset(-10))),
        "EDT" => "America/New_York",
        "CST" | "CDT" => "America/Chicago",
        "MDT" => "America/Denver",
        "PST" | "PDT" => "America/Los_Angeles",
        "CET" | "CEST" => "Europe/Paris",
        "BST" => "Asia/Dhaka",
        "IST" => "Asia/Kolkata",
        "JST" => "Asia/Tokyo",
        "CTT" => "Asia/Shanghai",
        "AET" => "Australia/Sydney",
        other => other,
    };
    let offset = place.strip_prefix("GMT").unwrap_or(place);
    if let Some(digits) = offset.strip_prefix(['+', '-']) {
        let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
        let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
        let seconds = if offset.starts_with('-') { -seconds } else { seconds };
        return Some(TimeZone::fixed(Offset::from_seconds(seconds).ok()?));
    }
    TimeZone::get(place).ok()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_error};

    #[test]
    fn moves_between_zones() {
        check("from_utc_timestamp('2014-07-05 20:00:00', 'America/Los_Angeles')", "2014-07-05 13:00:00");
        check("from_utc_timestamp('2014-01-05 20:00:00', 'PST')", "2014-01-05 12:00:00");
        check("to_utc_timestamp('2014-07-05 13:00:00.5', 'America/Los_Angeles')", "2014-07-05 20:00:00.5");
        check("from_utc_timestamp('2014-07-05 20:00:00', 'GMT+8')", "2014-07-06 04:00:00");
        check_error("from_utc_timestamp('2014-07-05 20:00:00', 'Mars')", "no time zone");
    }
}
