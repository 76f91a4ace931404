//! Dates and times: their parts, arithmetic on them, and the Unix time.
//!
//! Text is taken as a date or timestamp by Hive's lenient rules; what is neither gives NULL. The zone is UTC.
//! Source: Hive `UDFYear` …, `GenericUDFDateAdd`, `GenericUDFDateDiff`, `GenericUDFAddMonths`, `GenericUDFLastDay`,
//! `GenericUDFNextDay`, `GenericUDFTrunc`, `GenericUDFMonthsBetween`, `GenericUDFToUnixTimeStamp`, `UDFFromUnixTime`,
//! `GenericUDFDateFormat`, `UDFWeekOfYear`. `trunc` of a number is not here.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::simplify::SimplifyContext;
use jiff::Span;
use jiff::civil::{Date, DateTime, Weekday};

use super::builtin::{Arguments, Builtin, CallTypes, Kind, check_count, type_name};
use super::civil_time::{
    date_of_days, days_of_date, nanos_of_time, parse_timestamp, time_of_nanos, time_of_seconds, write_date,
};
use super::common_type::{is_string, is_temporal};
use super::date_pattern::compile;

pub(super) fn builtins() -> Vec<Builtin> {
    vec![
        of_date("year", |d| i32::from(d.year())),
        of_date("quarter", |d| i32::from((d.month() + 2) / 3)),
        of_date("month", |d| i32::from(d.month())),
        of_date("day", |d| i32::from(d.day())).alias(&["dayofmonth"]),
        of_date("dayofweek", |d| i32::from(d.weekday().to_sunday_one_offset())),
        of_date("weekofyear", |d| i32::from(d.iso_week_date().week())),
        of_time("hour", |t| i32::from(t.hour())),
        of_time("minute", |t| i32::from(t.minute())),
        of_time("second", |t| i32::from(t.second())),
        Builtin::fixed("to_date", &[Kind::Date], 0, Kind::Date, |a| Ok(std::sync::Arc::clone(a.array(0)))),
        Builtin::fixed("date_add", &[Kind::Date, Kind::Int], 0, Kind::Date, |a| add_days(a, 1)),
        Builtin::fixed("date_sub", &[Kind::Date, Kind::Int], 0, Kind::Date, |a| add_days(a, -1)),
        Builtin::fixed("datediff", &[Kind::Date, Kind::Date], 0, Kind::Int, |arguments| {
            let (end, start) = (arguments.dates(0)?, arguments.dates(1)?);
            arguments.to_ints(|row| end.get(row)?.checked_sub(start.get(row)?))
        }),
        Builtin::fixed("add_months", &[Kind::Timestamp, Kind::Int, Kind::String], 1, Kind::String, add_months),
        Builtin::fixed("last_day", &[Kind::Date], 0, Kind::String, |arguments| {
            let dates = arguments.dates(0)?;
            arguments.to_strings(|row, out| {
                write_date(date_of_days(dates.get(row)?)?.last_of_month(), out);
                Some(())
            })
        }),
        Builtin::fixed("next_day", &[Kind::Date, Kind::String], 0, Kind::String, next_day),
        Builtin::fixed("trunc", &[Kind::Date, Kind::String], 0, Kind::String, trunc),
        Builtin::fixed(
            "months_between",
            &[Kind::Timestamp, Kind::Timestamp, Kind::Boolean],
            1,
            Kind::Double,
            months_between,
        ),
        Builtin::new("unix_timestamp", unix_timestamp_types, unix_timestamp)
            .alias(&["to_unix_timestamp"])
            .simplify(unix_timestamp_now)
            .stable(),
        Builtin::fixed("from_unixtime", &[Kind::Long, Kind::String], 1, Kind::String, from_unixtime),
        Builtin::fixed("date_format", &[Kind::Timestamp, Kind::String], 0, Kind::String, date_format),
        Builtin::fixed("current_date", &[], 0, Kind::Date, |_| not_planned("current_date"))
            .simplify(|_, info| {
                Ok(now(info).map(|nanos| {
                    let days = nanos.div_euclid(86_400_000_000_000) as i32;
                    Expr::Literal(ScalarValue::Date32(Some(days)), None)
                }))
            })
            .stable(),
        Builtin::fixed("current_timestamp", &[], 0, Kind::Timestamp, |_| not_planned("current_timestamp"))
            .alias(&["now"])
            .simplify(|_, info| {
                Ok(now(info).map(|nanos| {
                    // Hive's clock ticks in milliseconds.
                    let nanos = nanos - nanos.rem_euclid(1_000_000);
                    Expr::Literal(ScalarValue::TimestampNanosecond(Some(nanos), None), None)
                }))
            })
            .stable(),
        Builtin::fixed("__date_plus_months", &[Kind::Date, Kind::Int], 0, Kind::Date, |arguments| {
            let (dates, months) = (arguments.dates(0)?, arguments.ints(1)?);
            arguments.to_dates(|row| {
                let span = Span::new().try_months(months.get(row)?).ok()?;
                days_of_date(date_of_days(dates.get(row)?)?.checked_add(span).ok()?)
            })
        }),
        Builtin::fixed(
            "__timestamp_plus",
            &[Kind::Timestamp, Kind::Int, Kind::Long],
            0,
            Kind::Timestamp,
            |arguments| {
                let (times, months, nanos) = (arguments.timestamps(0)?, arguments.ints(1)?, arguments.longs(2)?);
                arguments.to_timestamps(|row| {
                    let span = Span::new().try_months(months.get(row)?).ok()?;
                    let time = time_of_nanos(times.get(row)?)?.checked_add(span).ok()?;
                    nanos_of_time(time)?.checked_add(nanos.get(row)?)
                })
            },
        ),
    ]
}

fn of_date(name: &'static str, part: fn(Date) -> i32) -> Builtin {
    Builtin::fixed(name, &[Kind::Date], 0, Kind::Int, move |arguments| {
        let dates = arguments.dates(0)?;
        arguments.to_ints(|row| date_of_days(dates.get(row)?).map(part))
    })
}

/// A time alone, `12:58:59`, is taken too.
fn of_time(name: &'static str, part: fn(DateTime) -> i32) -> Builtin {
    let types = move |given: &[DataType]| {
        check_count(name, given, 1, 1)?;
        match &given[0] {
            t if is_string(t) => Ok(CallTypes { arguments: vec![DataType::Utf8View], result: DataType::Int32 }),
            t if is_temporal(t) || t.is_null() => {
                Ok(CallTypes { arguments: vec![Kind::Timestamp.data_type()], result: DataType::Int32 })
            }
            other => plan_err!("{name} takes a timestamp, found {}", type_name(other)),
        }
    };
    Builtin::new(name, types, move |arguments| match arguments.data_type(0) {
        DataType::Utf8View => {
            let texts = arguments.strings(0)?;
            arguments.to_ints(|row| {
                let text = texts.get(row)?;
                let time = parse_timestamp(text).or_else(|| parse_timestamp(&format!("1970-01-01 {text}")));
                time.filter(|_| text.contains([':', '-'])).map(part)
            })
        }
        _ => {
            let times = arguments.timestamps(0)?;
            arguments.to_ints(|row| time_of_nanos(times.get(row)?).map(part))
        }
    })
}

fn add_days(arguments: &Arguments, sign: i32) -> Result<ArrayRef> {
    let (dates, days) = (arguments.dates(0)?, arguments.ints(1)?);
    arguments.to_dates(|row| dates.get(row)?.checked_add(days.get(row)?.checked_mul(sign)?))
}

/// The last day of a month stays the last day.
fn add_months(arguments: &Arguments) -> Result<ArrayRef> {
    let (times, months) = (arguments.timestamps(0)?, arguments.ints(1)?);
    let patterns = if arguments.len() > 2 { Some(arguments.strings(2)?) } else { None };
    let pattern = match patterns.and_then(|p| p.get(0)) {
        Some(pattern) => compile(pattern)?,
        None => compile("yyyy-MM-dd")?,
    };
    arguments.to_strings(|row, out| {
        let time = time_of_nanos(times.get(row)?)?;
        let date = time.date();
        let moved = date.checked_add(Span::new().try_months(months.get(row)?).ok()?).ok()?;
        let moved = if date == date.last_of_month() { moved.last_of_month() } else { moved };
        pattern.format(moved.to_datetime(time.time()), out);
        Some(())
    })
}

/// The first such weekday after a date; the weekday by two letters, three, or its name.
fn next_day(arguments: &Arguments) -> Result<ArrayRef> {
    let (dates, names) = (arguments.dates(0)?, arguments.strings(1)?);
    arguments.to_strings(|row, out| {
        let date = date_of_days(dates.get(row)?)?;
        let weekday = weekday(names.get(row)?)?;
        write_date(date.nth_weekday(1, weekday).ok()?, out);
        Some(())
    })
}

fn weekday(name: &str) -> Option<Weekday> {
    let all = [
        ("MONDAY", Weekday::Monday),
        ("TUESDAY", Weekday::Tuesday),
        ("WEDNESDAY", Weekday::Wednesday),
        ("THURSDAY", Weekday::Thursday),
        ("FRIDAY", Weekday::Friday),
        ("SATURDAY", Weekday::Saturday),
        ("SUNDAY", Weekday::Sunday),
    ];
    let short = matches!(name.len(), 2 | 3);
    all.iter().find(|(full, _)| if short { &full[..name.len()] } else { full }.eq_ignore_ascii_case(name)).map(|d| d.1)
}

/// The first day of the year, quarter or month.
fn trunc(arguments: &Arguments) -> Result<ArrayRef> {
    let (dates, units) = (arguments.dates(0)?, arguments.strings(1)?);
    arguments.to_strings(|row, out| {
        let date = date_of_days(dates.get(row)?)?;
        let first = match units.get(row)?.to_ascii_uppercase().as_str() {
            "MONTH" | "MON" | "MM" => date.first_of_month(),
            "QUARTER" | "Q" => Date::new(date.year(), (date.month() - 1) / 3 * 3 + 1, 1).ok()?,
            "YEAR" | "YYYY" | "YY" => date.first_of_year(),
            _ => return None,
        };
        write_date(first, out);
        Some(())
    })
}

/// Whole months if the days of the month are equal or both last; else the rest counts in months of 31 days.
fn months_between(arguments: &Arguments) -> Result<ArrayRef> {
    let (ends, starts) = (arguments.timestamps(0)?, arguments.timestamps(1)?);
    let round_off = if arguments.len() > 2 { arguments.booleans(2)?.get(0).unwrap_or(true) } else { true };
    arguments.to_doubles(|row| {
        let (end, start) = (time_of_nanos(ends.get(row)?)?, time_of_nanos(starts.get(row)?)?);
        let months =
            (i32::from(end.year()) - i32::from(start.year())) * 12 + i32::from(end.month()) - i32::from(start.month());
        let is_last = |t: DateTime| t.date() == t.date().last_of_month();
        if end.day() == start.day() || (is_last(end) && is_last(start)) {
            return Some(f64::from(months));
        }
        let seconds = |t: DateTime| {
            i32::from(t.day()) * 86_400
                + i32::from(t.hour()) * 3600
                + i32::from(t.minute()) * 60
                + i32::from(t.second())
        };
        let exact = f64::from(months) + f64::from(seconds(end) - seconds(start)) / 2_678_400.0;
        Some(if round_off { (exact * 1e8).round() / 1e8 } else { exact })
    })
}

fn unix_timestamp_types(given: &[DataType]) -> Result<CallTypes> {
    check_count("unix_timestamp", given, 0, 2)?;
    let first = match given.first() {
        None => return Ok(CallTypes { arguments: Vec::new(), result: DataType::Int64 }),
        Some(t) if is_string(t) || t.is_null() => DataType::Utf8View,
        Some(t) if is_temporal(t) => Kind::Timestamp.data_type(),
        Some(other) => {
            return plan_err!("unix_timestamp takes a string, date or timestamp, found {}", type_name(other));
        }
    };
    let mut arguments = vec![first];
    arguments.resize(given.len(), DataType::Utf8View);
    Ok(CallTypes { arguments, result: DataType::Int64 })
}

fn unix_timestamp_now(args: &[Expr], info: &SimplifyContext) -> Result<Option<Expr>> {
    if !args.is_empty() {
        return Ok(None);
    }
    Ok(now(info).map(|n| Expr::Literal(ScalarValue::Int64(Some(n.div_euclid(1_000_000_000))), None)))
}

/// When the query began, in nanoseconds.
fn now(info: &SimplifyContext) -> Option<i64> {
    info.query_execution_start_time()?.timestamp_nanos_opt()
}

fn not_planned(name: &str) -> Result<ArrayRef> {
    exec_err!("{name} was not made constant when the query was planned")
}

fn unix_timestamp(arguments: &Arguments) -> Result<ArrayRef> {
    if arguments.len() == 0 {
        return not_planned("unix_timestamp");
    }
    if *arguments.data_type(0) != DataType::Utf8View {
        let times = arguments.timestamps(0)?;
        return arguments.to_longs(|row| times.get(row).map(|nanos| nanos.div_euclid(1_000_000_000)));
    }
    let texts = arguments.strings(0)?;
    let patterns = if arguments.len() > 1 { Some(arguments.strings(1)?) } else { None };
    let mut compiled = Compiled::new("yyyy-MM-dd HH:mm:ss")?;
    let longs = arguments.to_longs(|row| {
        let text = texts.get(row)?;
        if let Some(patterns) = &patterns {
            compiled.set(patterns.get(row)?)?;
        }
        let (seconds, millis) = compiled.pattern.parse(text)?;
        // Java divides milliseconds by 1000, toward zero.
        Some((seconds * 1000 + millis) / 1000)
    });
    compiled.finish(longs)
}

fn from_unixtime(arguments: &Arguments) -> Result<ArrayRef> {
    let seconds = arguments.longs(0)?;
    let patterns = if arguments.len() > 1 { Some(arguments.strings(1)?) } else { None };
    let mut compiled = Compiled::new("yyyy-MM-dd HH:mm:ss")?;
    let texts = arguments.to_strings(|row, out| {
        let seconds = seconds.get(row)?;
        if let Some(patterns) = &patterns {
            compiled.set(patterns.get(row)?)?;
        }
        compiled.pattern.format(time_of_seconds(seconds, 0)?, out);
        Some(())
    });
    compiled.finish(texts)
}

/// A pattern that cannot be read makes the result NULL.
fn date_format(arguments: &Arguments) -> Result<ArrayRef> {
    let (times, patterns) = (arguments.timestamps(0)?, arguments.strings(1)?);
    let mut compiled = Compiled::new("yyyy-MM-dd HH:mm:ss")?;
    arguments.to_strings(|row, out| {
        let time = times.get(row)?;
        compiled.set(patterns.get(row)?)?;
        compiled.pattern.format(time_of_nanos(time)?, out);
        Some(())
    })
}

/// The pattern of the row before, and the first error of a batch.
struct Compiled<'a> {
    text: &'a str,
    pattern: std::sync::Arc<super::date_pattern::DatePattern>,
    error: Option<datafusion::common::DataFusionError>,
}

impl<'a> Compiled<'a> {
    fn new(text: &'a str) -> Result<Self> {
        Ok(Compiled { text, pattern: compile(text)?, error: None })
    }

    fn set(&mut self, text: &'a str) -> Option<()> {
        if self.text != text {
            match compile(text) {
                Ok(pattern) => (self.text, self.pattern) = (text, pattern),
                Err(error) => {
                    self.error.get_or_insert(error);
                    return None;
                }
            }
        }
        Some(())
    }

    fn finish(self, result: Result<ArrayRef>) -> Result<ArrayRef> {
        self.error.map_or(result, Err)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_error};

    #[test]
    fn parts() {
        check("year('2014-07-05')", "2014");
        check("month('2014-07-05 20:00:00')", "7");
        check("day('2014-07-05')", "5");
        check("quarter('2014-07-05')", "3");
        check("hour('2014-07-05 20:01:02')", "20");
        check("minute('12:58:59')", "58");
        check("second('2014-07-05')", "0");
        check("weekofyear('2008-02-20')", "8");
        check("weekofyear('1980-12-31 12:59:59')", "1");
        check("dayofweek('2014-07-05')", "7");
        check("year('-')", "NULL");
        check("to_date('2014-07-05 20:00:00')", "2014-07-05");
        check("extract(year from '2014-07-05')", "2014");
    }

    #[test]
    fn arithmetic() {
        check("date_add('2014-07-31', 1)", "2014-08-01");
        check("date_sub('2014-07-01', 1)", "2014-06-30");
        check("datediff('2014-07-05', '2014-07-01 23:59:59')", "4");
        check("add_months('2009-08-31', 1)", "2009-09-30");
        check("add_months('2017-12-31 14:15:16', 2, 'yyyy-MM-dd HH:mm:ss')", "2018-02-28 14:15:16");
        check("add_months('2016-02-29', 12)", "2017-02-28");
        check("last_day('2014-02-10')", "2014-02-28");
        check("next_day('2015-01-14', 'TU')", "2015-01-20");
        check("next_day('2015-01-14', 'x')", "NULL");
        check("trunc('2014-07-05', 'MM')", "2014-07-01");
        check("trunc('2014-08-05', 'Q')", "2014-07-01");
        check("trunc('2014-08-05', 'year')", "2014-01-01");
        check("months_between('1997-02-28 10:30:00', '1996-10-30')", "3.94959677");
        check("to_date('2014-07-05') + interval '1' month", "2014-08-05");
        check("to_date('2014-07-05') - interval '7' day", "2014-06-28 00:00:00");
    }

    #[test]
    fn comparisons() {
        check("to_date('2014-07-05') = '2014-07-05'", "true");
        check("to_date('2014-07-05') < '2014-07-06'", "true");
        check("to_date('2014-07-05') = 'x'", "NULL");
        check_error("to_date('2014-07-05') = 5", "compares values of one type");
        check_error("to_date('2014-07-05') - to_date('2014-07-05')", "datediff");
    }

    #[test]
    fn unix_time() {
        check("unix_timestamp('2014-07-05 20:00:00')", "1404590400");
        check("unix_timestamp('05/Jul/2014:22:00:00 +0200', 'dd/MMM/yyyy:HH:mm:ss Z')", "1404590400");
        check("unix_timestamp('x')", "NULL");
        check("from_unixtime(0)", "1970-01-01 00:00:00");
        check("from_unixtime(1404590400, 'yyyy/MM/dd')", "2014/07/05");
        check("date_format('2014-07-05 20:01:02', 'HH:mm')", "20:01");
        check("date_format('2014-07-05', 'bad')", "NULL");
        check("unix_timestamp() > 1700000000", "true");
        check("current_date() >= '2024-01-01'", "true");
        check("current_timestamp() >= '2024-01-01'", "true");
        check_error("from_unixtime(0, 'bad')", "which means nothing");
    }
}
