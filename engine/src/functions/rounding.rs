//! `round` (half away from zero), `bround` (half to even) and `format_number`.
//!
//! A double is rounded by its decimal text, so that 2.675 to two digits is 2.68. Source: Hive `GenericUDFRound`,
//! `GenericUDFBRound`, `RoundUtils`, `GenericUDFFormatNumber` (`DecimalFormat`: half to even).

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array};
use arrow::datatypes::{DataType, Decimal128Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::ReturnFieldArgs;

use super::builtin::{Arguments, Builtin, CallTypes, check_count, type_name};
use super::cast::cast_array;
use super::common_type::{is_numeric, is_string, normal};

pub(super) fn builtins() -> Vec<Builtin> {
    vec![
        Builtin::new("round", |given| round_types("round", given), |a| round(a, Half::Up))
            .result_of_constants(|args| round_result("round", args)),
        Builtin::new("bround", |given| round_types("bround", given), |a| round(a, Half::Even))
            .result_of_constants(|args| round_result("bround", args)),
        Builtin::new("format_number", format_types, format_number),
    ]
}

/// Where a half goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Up,
    Even,
}

fn round_types(name: &str, given: &[DataType]) -> Result<CallTypes> {
    check_count(name, given, 1, 2)?;
    let data_type = match normal(&given[0]) {
        other if is_string(&other) || other.is_null() => DataType::Float64,
        other if is_numeric(&other) => other,
        other => return plan_err!("{name} takes a number, found {}", type_name(&other)),
    };
    let mut arguments = vec![data_type.clone()];
    arguments.resize(given.len(), DataType::Int32);
    // A decimal's digits depend on the constant; see `round_result`.
    Ok(CallTypes { arguments, result: data_type })
}

/// The type of the result: a decimal's scale is the number of digits asked for.
fn round_result(name: &str, args: &ReturnFieldArgs) -> Result<DataType> {
    let given: Vec<DataType> = args.arg_fields.iter().map(|f| f.data_type().clone()).collect();
    let result = round_types(name, &given)?.result;
    let DataType::Decimal128(precision, scale) = result else { return Ok(result) };
    let digits = match args.scalar_arguments.get(1) {
        None => 0,
        Some(Some(value)) => match value.cast_to(&DataType::Int32)? {
            ScalarValue::Int32(digits) => digits.unwrap_or(0),
            _ => 0,
        },
        Some(None) => return plan_err!("{name} of a decimal takes a constant number of digits"),
    };
    let (precision, scale) = (i32::from(precision), i32::from(scale));
    let whole = precision - scale + i32::from(digits < scale);
    let scale = digits.clamp(0, 38);
    Ok(DataType::Decimal128((whole + scale).clamp(1, 38) as u8, scale as i8))
}

fn round(arguments: &Arguments, half: Half) -> Result<ArrayRef> {
    let digits = if arguments.len() > 1 { Some(arguments.ints(1)?) } else { None };
    let digits = |row| digits.as_ref().map_or(Some(0), |d| d.get(row));
    match (arguments.data_type(0), &arguments.result) {
        (DataType::Decimal128(_, from), DataType::Decimal128(precision, to)) => {
            let values = arguments.primitives::<Decimal128Type>(0)?;
            let rounded = (0..arguments.rows).map(|row| {
                let kept = digits(row)?.min(i32::from(*from));
                let value = round_decimal(values.get(row)?, i32::from(*from), kept, half)?;
                super::cast::rescale(value, *from, *to)
            });
            let rounded: Decimal128Array = rounded.collect();
            Ok(Arc::new(rounded.with_precision_and_scale(*precision, *to)?))
        }
        (t, _) if t.is_integer() => {
            let longs = cast_array(arguments.array(0), &DataType::Int64)?;
            let longs = longs.as_primitive::<arrow::datatypes::Int64Type>();
            let rounded = arguments.to_longs(|row| {
                let (at, digits) = (arguments.row(0, row), digits(row)?);
                if longs.is_null(at) {
                    return None;
                }
                if digits >= 0 {
                    return Some(longs.value(at));
                }
                Some(round_decimal(i128::from(longs.value(at)), 0, digits, half)? as i64)
            })?;
            cast_array(&rounded, &arguments.result)
        }
        _ => {
            let doubles = cast_array(arguments.array(0), &DataType::Float64)?;
            let doubles = doubles.as_primitive::<arrow::datatypes::Float64Type>();
            let rounded = arguments.to_doubles(|row| {
                let (at, digits) = (arguments.row(0, row), digits(row)?);
                (!doubles.is_null(at)).then(|| round_double(doubles.value(at), digits, half))
            })?;
            cast_array(&rounded, &arguments.result)
        }
    }
}

/// Rounds a number without its point to `digits` of its `scale` digits; the scale stays.
fn round_decimal(value: i128, scale: i32, digits: i32, half: Half) -> Option<i128> {
    let dropped = u32::try_from(scale - digits).ok()?;
    let Some(unit) = 10i128.checked_pow(dropped) else { return Some(0) };
    let (quotient, rest) = (value / unit, (value % unit).unsigned_abs());
    let (twice, unit_abs) = (rest * 2, unit.unsigned_abs());
    let away = match half {
        Half::Up => twice >= unit_abs,
        Half::Even => twice > unit_abs || (twice == unit_abs && quotient % 2 != 0),
    };
    (quotient + if away && rest != 0 { value.signum() } else { 0 }).checked_mul(unit)
}

/// Rounds the shortest decimal that reads back as `value`.
fn round_double(value: f64, digits: i32, half: Half) -> f64 {
    if !value.is_finite() || value == 0.0 {
        return value;
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').expect("`{:e}` writes an exponent");
    let exponent: i32 = exponent.parse().expect("`{:e}` writes a number as exponent");
    let fraction = mantissa.split_once('.').map_or(0, |(_, f)| f.len() as i32);
    let unscaled: i128 = mantissa.replace('.', "").parse().expect("a double has at most 17 digits");
    let scale = fraction - exponent;
    if digits >= scale {
        return value;
    }
    match round_decimal(unscaled, scale, digits, half) {
        Some(rounded) => format!("{rounded}e{}", -scale).parse().unwrap_or(value),
        None => value,
    }
}

fn format_types(given: &[DataType]) -> Result<CallTypes> {
    check_count("format_number", given, 2, 2)?;
    let number = match normal(&given[0]) {
        other if other.is_integer() || matches!(other, DataType::Decimal128(..)) => other,
        other if is_numeric(&other) || is_string(&other) || other.is_null() => DataType::Float64,
        other => return plan_err!("format_number takes a number, found {}", type_name(&other)),
    };
    if is_string(&given[1]) {
        return datafusion::common::not_impl_err!("format_number with a pattern; give the number of digits");
    }
    Ok(CallTypes { arguments: vec![number, DataType::Int32], result: DataType::Utf8View })
}

/// `1234567.891` to two digits: `1,234,567.89`.
fn format_number(arguments: &Arguments) -> Result<ArrayRef> {
    let digits = arguments.ints(1)?;
    if let Some(bad) = (0..arguments.rows).filter_map(|row| digits.get(row)).find(|d| *d < 0) {
        return exec_err!("format_number takes a number of digits from 0 on, found {bad}");
    }
    let numbers = cast_array(arguments.array(0), &DataType::Utf8View)?;
    let numbers = numbers.as_string_view();
    let doubles = arguments.doubles(0).ok();
    let mut text = String::new();
    arguments.to_strings(|row, out| {
        let digits = digits.get(row)?;
        let at = arguments.row(0, row);
        if numbers.is_null(at) {
            return None;
        }
        text.clear();
        match &doubles {
            Some(doubles) => {
                let value = doubles.get(row)?;
                if !value.is_finite() {
                    out.push_str(if value.is_nan() {
                        "\u{FFFD}"
                    } else if value > 0.0 {
                        "∞"
                    } else {
                        "-∞"
                    });
                    return Some(());
                }
                // `DecimalFormat` keeps the sign of a number that rounds to zero.
                let rounded = round_double(value, digits, Half::Even).copysign(value);
                text.push_str(&format!("{rounded}"));
            }
            None => {
                let (value, scale) = unscaled(numbers.value(at))?;
                let kept = digits.min(scale);
                let rounded = round_decimal(value, scale, kept, Half::Even)?;
                text.push_str(&with_point(rounded, scale as usize));
            }
        }
        group(&text, digits as usize, out);
        Some(())
    })
}

/// The digits of a decimal's text, and how many stand behind its point.
fn unscaled(text: &str) -> Option<(i128, i32)> {
    let scale = text.split_once('.').map_or(0, |(_, f)| f.len() as i32);
    Some((text.replace('.', "").parse().ok()?, scale))
}

fn with_point(value: i128, scale: usize) -> String {
    let digits = format!("{:0>1$}", value.unsigned_abs(), scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{}{whole}.{fraction}", if value < 0 { "-" } else { "" })
}

/// Writes `-1234.5` with commas and exactly `digits` digits behind the point.
fn group(number: &str, digits: usize, out: &mut String) {
    let (negative, number) = match number.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, number),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if negative {
        out.push('-');
    }
    for (position, digit) in whole.char_indices() {
        if position > 0 && (whole.len() - position) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if digits > 0 {
        out.push('.');
        out.extend(fraction.chars().chain(std::iter::repeat('0')).take(digits));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;

    #[test]
    fn rounding() {
        check("round(2.5)", "3.0");
        check("round(-2.5)", "-3.0");
        check("round(2.675, 2)", "2.68");
        check("round(12.3456, 1)", "12.3");
        check("round(1234, -2)", "1200");
        check("round(1250, -2)", "1300");
        check("round(1e300, 2)", "1.0E300");
        check("round('1.55', 1)", "1.6");
        check("round(NULL, 1)", "NULL");
        check("bround(2.5)", "2.0");
        check("bround(3.5)", "4.0");
        check("bround(8.25, 1)", "8.2");
    }

    #[test]
    fn formatting() {
        check("format_number(1234567.891, 2)", "1,234,567.89");
        check("format_number(12332.123456, 4)", "12,332.1235");
        check("format_number(1234, 0)", "1,234");
        check("format_number(-0.5, 0)", "-0");
        check("format_number(12, 2)", "12.00");
    }
}
