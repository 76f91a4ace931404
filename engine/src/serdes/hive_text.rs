//! One value of any Arrow type as the text that Hive prints for it.
//!
//! Source: `LazyUtils.writePrimitiveUTF8`. Types that DataFusion makes and Hive does not know are written as the
//! nearest one that Hive has.

use std::io::Write as _;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType, Field, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalDayTimeType, IntervalMonthDayNanoType,
    IntervalUnit, IntervalYearMonthType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::util::display::array_value_to_string;

use super::{decimal, java_calendar, java_float};
use crate::error::{Error, Result};
use crate::hive_type::character_limit;

const NANOS: i64 = 1_000_000_000;

/// The array and position where a value really lies, behind dictionaries; `None` if it is NULL.
pub(super) fn locate(array: &dyn Array, row_idx: usize) -> Option<(&dyn Array, usize)> {
    if array.is_null(row_idx) || *array.data_type() == DataType::Null {
        return None;
    }
    match array.as_any_dictionary_opt() {
        Some(dictionary) => {
            // The keys are asked for one by one: building them all for each value would cost the square.
            let key = dictionary_key(array, row_idx)?;
            locate(dictionary.values().as_ref(), key)
        }
        None => Some((array, row_idx)),
    }
}

fn dictionary_key(array: &dyn Array, row_idx: usize) -> Option<usize> {
    let dictionary = array.as_any_dictionary_opt()?;
    let keys = dictionary.keys();
    match keys.data_type() {
        DataType::Int8 => keys.as_primitive::<Int8Type>().value(row_idx).try_into().ok(),
        DataType::Int16 => keys.as_primitive::<Int16Type>().value(row_idx).try_into().ok(),
        DataType::Int32 => keys.as_primitive::<Int32Type>().value(row_idx).try_into().ok(),
        DataType::Int64 => keys.as_primitive::<Int64Type>().value(row_idx).try_into().ok(),
        DataType::UInt8 => Some(keys.as_primitive::<UInt8Type>().value(row_idx).into()),
        DataType::UInt16 => Some(keys.as_primitive::<UInt16Type>().value(row_idx).into()),
        DataType::UInt32 => keys.as_primitive::<UInt32Type>().value(row_idx).try_into().ok(),
        _ => keys.as_primitive::<UInt64Type>().value(row_idx).try_into().ok(),
    }
}

/// The bytes of a text or binary value that is not NULL; `None` for every other type.
pub(super) fn bytes_value(array: &dyn Array, row_idx: usize) -> Option<&[u8]> {
    Some(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row_idx).as_bytes(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row_idx).as_bytes(),
        DataType::Utf8View => array.as_string_view().value(row_idx).as_bytes(),
        DataType::Binary => array.as_binary::<i32>().value(row_idx),
        DataType::LargeBinary => array.as_binary::<i64>().value(row_idx),
        DataType::BinaryView => array.as_binary_view().value(row_idx),
        DataType::FixedSizeBinary(_) => array.as_fixed_size_binary().value(row_idx),
        _ => return None,
    })
}

/// Whether values of this type are bytes and no text.
pub(super) fn is_binary(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_))
}

/// Blanks that a char(n) field is padded with.
pub(super) fn char_padding(field: &Field, text: &[u8]) -> usize {
    match character_limit(field) {
        Some((length, true)) => length.saturating_sub(String::from_utf8_lossy(text).chars().count()),
        _ => 0,
    }
}

/// Appends a value that is neither NULL nor text nor binary nor nested.
pub(super) fn write_primitive(array: &dyn Array, row_idx: usize, out: &mut Vec<u8>) -> Result<()> {
    macro_rules! value {
        ($type:ty) => {
            array.as_primitive::<$type>().value(row_idx)
        };
    }
    macro_rules! number {
        ($type:ty) => {
            write!(out, "{}", value!($type)).map_err(|e| Error::internal("a vector refused bytes").with_source(e))
        };
    }
    match array.data_type() {
        DataType::Boolean => {
            out.extend_from_slice(if array.as_boolean().value(row_idx) { b"true" } else { b"false" });
        }
        DataType::Int8 => number!(Int8Type)?,
        DataType::Int16 => number!(Int16Type)?,
        DataType::Int32 => number!(Int32Type)?,
        DataType::Int64 => write_integer(value!(Int64Type), out),
        DataType::UInt8 => number!(UInt8Type)?,
        DataType::UInt16 => number!(UInt16Type)?,
        DataType::UInt32 => number!(UInt32Type)?,
        DataType::UInt64 => number!(UInt64Type)?,
        DataType::Float16 => java_float::write_float(value!(Float16Type).to_f32(), out),
        DataType::Float32 => java_float::write_float(value!(Float32Type), out),
        DataType::Float64 => java_float::write_double(value!(Float64Type), out),
        &DataType::Decimal32(_, scale) => decimal::write_decimal(&value!(Decimal32Type).to_string(), scale, out),
        &DataType::Decimal64(_, scale) => decimal::write_decimal(&value!(Decimal64Type).to_string(), scale, out),
        &DataType::Decimal128(_, scale) => decimal::write_decimal(&value!(Decimal128Type).to_string(), scale, out),
        &DataType::Decimal256(_, scale) => decimal::write_decimal(&value!(Decimal256Type).to_string(), scale, out),
        DataType::Date32 => write_date(value!(Date32Type).into(), out),
        DataType::Date64 => write_date(value!(Date64Type).div_euclid(86_400_000), out),
        DataType::Timestamp(unit, zone) => {
            match unit {
                TimeUnit::Second => write_timestamp(value!(TimestampSecondType), 1, out),
                TimeUnit::Millisecond => write_timestamp(value!(TimestampMillisecondType), 1_000, out),
                TimeUnit::Microsecond => write_timestamp(value!(TimestampMicrosecondType), 1_000_000, out),
                TimeUnit::Nanosecond => write_timestamp(value!(TimestampNanosecondType), NANOS, out),
            }
            if zone.is_some() {
                // Hive names the session's zone; the value is in UTC, and so is what is written.
                out.extend_from_slice(b" UTC");
            }
        }
        DataType::Duration(unit) => write_day_time(
            match unit {
                TimeUnit::Second => i128::from(value!(DurationSecondType)) * i128::from(NANOS),
                TimeUnit::Millisecond => i128::from(value!(DurationMillisecondType)) * 1_000_000,
                TimeUnit::Microsecond => i128::from(value!(DurationMicrosecondType)) * 1_000,
                TimeUnit::Nanosecond => value!(DurationNanosecondType).into(),
            },
            out,
        ),
        DataType::Interval(IntervalUnit::YearMonth) => write_year_month(value!(IntervalYearMonthType), out),
        DataType::Interval(IntervalUnit::DayTime) => {
            let interval = value!(IntervalDayTimeType);
            write_day_time(day_nanos(interval.days) + i128::from(interval.milliseconds) * 1_000_000, out);
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let interval = value!(IntervalMonthDayNanoType);
            let nanos = day_nanos(interval.days) + i128::from(interval.nanoseconds);
            if interval.months != 0 || nanos == 0 {
                write_year_month(interval.months, out);
            }
            if nanos != 0 {
                if interval.months != 0 {
                    out.push(b' ');
                }
                write_day_time(nanos, out);
            }
        }
        other => {
            let text = array_value_to_string(array, row_idx)
                .map_err(|e| Error::internal(format!("a value of type {other} cannot be printed")).with_source(e))?;
            out.extend_from_slice(text.as_bytes());
        }
    }
    Ok(())
}

fn write_date(days: i64, out: &mut Vec<u8>) {
    // A date that has no name in the calendar cannot be in a table and can come out of arithmetic.
    if java_calendar::write_date(days, out).is_none() {
        write_integer(days, out);
    }
}

fn write_timestamp(count: i64, per_second: i64, out: &mut Vec<u8>) {
    let nanosecond = count.rem_euclid(per_second) * (NANOS / per_second);
    if java_calendar::write_timestamp(count.div_euclid(per_second), nanosecond as u32, out).is_none() {
        write_integer(count, out);
    }
}

/// Appends the digits of a number, by way of the stack: formatting would ask a trait for each piece.
pub(super) fn write_integer(number: i64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        start -= 1;
        digits[start] = b'-';
    }
    out.extend_from_slice(&digits[start..]);
}

fn day_nanos(days: i32) -> i128 {
    i128::from(days) * 86_400 * i128::from(NANOS)
}

/// Hive's interval_year_month: `1-2`.
fn write_year_month(months: i32, out: &mut Vec<u8>) {
    let sign = if months < 0 { "-" } else { "" };
    let months = months.unsigned_abs();
    out.extend_from_slice(format!("{sign}{}-{}", months / 12, months % 12).as_bytes());
}

/// Hive's interval_day_time: `1 02:03:04.000000000`.
fn write_day_time(nanos: i128, out: &mut Vec<u8>) {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let (seconds, nanos) = (nanos / NANOS as u128, nanos % NANOS as u128);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let seconds = seconds % 60;
    out.extend_from_slice(format!("{sign}{days} {hours:02}:{minutes:02}:{seconds:02}.{nanos:09}").as_bytes());
}
