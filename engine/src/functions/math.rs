//! Numbers: roots, logarithms, angles, signs. Where a function is not defined the answer is NULL (logarithms) or NaN.
//!
//! Source: Hive `UDFMath` and its kin, `GenericUDFAbs`, `GenericUDFFloorCeilBase`, `UDFSign`, `UDFLog`,
//! `GenericUDFPower`, `GenericUDFFactorial`, `UDFOPBitNot`, `UDFOPBitShiftLeft` ….

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array};
use arrow::datatypes::{DataType, Decimal128Type, Int32Type, Int64Type};
use datafusion::common::{Result, plan_err};

use super::builtin::{Arguments, Builtin, CallTypes, Kind, check_count, type_name};
use super::common_type::{as_decimal, is_integer, is_numeric, is_string, normal};

pub(super) fn builtins() -> Vec<Builtin> {
    let mut all = vec![
        double("sqrt", |v| (v >= 0.0).then(|| v.sqrt())),
        double("cbrt", |v| Some(v.cbrt())),
        double("exp", |v| Some(v.exp())),
        double("ln", |v| (v > 0.0).then(|| v.ln())),
        double("log2", |v| (v > 0.0).then(|| v.ln() / 2f64.ln())),
        double("log10", |v| (v > 0.0).then(|| v.log10())),
        double("sin", |v| Some(v.sin())),
        double("cos", |v| Some(v.cos())),
        double("tan", |v| Some(v.tan())),
        double("asin", |v| Some(v.asin())),
        double("acos", |v| Some(v.acos())),
        double("atan", |v| Some(v.atan())),
        double("degrees", |v| Some(v.to_degrees())),
        double("radians", |v| Some(v.to_radians())),
        double("sign", |v| Some(if v == 0.0 { 0.0 } else { v.signum() })),
        Builtin::fixed("e", &[], 0, Kind::Double, |a| a.to_doubles(|_| Some(std::f64::consts::E))),
        Builtin::fixed("pi", &[], 0, Kind::Double, |a| a.to_doubles(|_| Some(std::f64::consts::PI))),
        Builtin::fixed("power", &[Kind::Double, Kind::Double], 0, Kind::Double, |arguments| {
            let (base, exponent) = (arguments.doubles(0)?, arguments.doubles(1)?);
            arguments.to_doubles(|row| Some(base.get(row)?.powf(exponent.get(row)?)))
        })
        .alias(&["pow"]),
        Builtin::fixed("log", &[Kind::Double, Kind::Double], 1, Kind::Double, |arguments| {
            let first = arguments.doubles(0)?;
            if arguments.len() == 1 {
                return arguments.to_doubles(|row| first.get(row).filter(|v| *v > 0.0).map(f64::ln));
            }
            let second = arguments.doubles(1)?;
            arguments.to_doubles(|row| {
                let (base, value) = (first.get(row)?, second.get(row)?);
                (base > 1.0 && value > 0.0).then(|| value.ln() / base.ln())
            })
        }),
        Builtin::fixed("factorial", &[Kind::Int], 0, Kind::Long, |arguments| {
            let values = arguments.ints(0)?;
            arguments.to_longs(|row| {
                let value = values.get(row)?;
                (0..=20).contains(&value).then(|| (1..=i64::from(value)).product())
            })
        }),
        Builtin::new("abs", |given| signed_types("abs", given), |a| signed(a, true)),
        Builtin::new("negative", |given| signed_types("negative", given), |a| signed(a, false)),
        Builtin::new("positive", |given| signed_types("positive", given), |a| Ok(Arc::clone(a.array(0)))),
        Builtin::new("floor", |given| whole_types("floor", given), |a| whole(a, f64::floor, i128::div_euclid)),
        Builtin::new(
            "ceil",
            |given| whole_types("ceil", given),
            |a| whole(a, f64::ceil, |value, unit| -(-value).div_euclid(unit)),
        )
        .alias(&["ceiling"]),
        Builtin::new(
            "__bitwise_not",
            |given| integer_types("~", given),
            |arguments| match arguments.data_type(0) {
                DataType::Int32 => {
                    let values = arguments.ints(0)?;
                    arguments.to_ints(|row| values.get(row).map(|v| !v))
                }
                _ => {
                    let values = arguments.longs(0)?;
                    arguments.to_longs(|row| values.get(row).map(|v| !v))
                }
            },
        ),
    ];
    all.extend([
        shift("shiftleft", |v, n| v.wrapping_shl(n), |v, n| v.wrapping_shl(n)),
        shift("shiftright", |v, n| v.wrapping_shr(n), |v, n| v.wrapping_shr(n)),
        shift("shiftrightunsigned", |v, n| (v as u32).wrapping_shr(n) as i32, |v, n| (v as u64).wrapping_shr(n) as i64),
    ]);
    all
}

fn double(name: &'static str, f: fn(f64) -> Option<f64>) -> Builtin {
    Builtin::fixed(name, &[Kind::Double], 0, Kind::Double, move |arguments| {
        let values = arguments.doubles(0)?;
        arguments.to_doubles(|row| f(values.get(row)?))
    })
}

fn shift(name: &'static str, int: fn(i32, u32) -> i32, long: fn(i64, u32) -> i64) -> Builtin {
    let types = move |given: &[DataType]| {
        check_count(name, given, 2, 2)?;
        let types = integer_types(name, &given[..1])?;
        Ok(CallTypes { arguments: vec![types.result.clone(), DataType::Int32], result: types.result })
    };
    Builtin::new(name, types, move |arguments| {
        let by = arguments.ints(1)?;
        match arguments.data_type(0) {
            DataType::Int32 => {
                let values = arguments.ints(0)?;
                arguments.to_ints(|row| Some(int(values.get(row)?, by.get(row)? as u32)))
            }
            _ => {
                let values = arguments.longs(0)?;
                arguments.to_longs(|row| Some(long(values.get(row)?, by.get(row)? as u32)))
            }
        }
    })
}

/// Whole numbers of up to 32 bits as int, others as bigint.
fn integer_types(name: &str, given: &[DataType]) -> Result<CallTypes> {
    check_count(name, given, 1, 1)?;
    let wide = match normal(&given[0]) {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Null => DataType::Int32,
        DataType::Int64 => DataType::Int64,
        other => return plan_err!("{name} takes a whole number, found {}", type_name(&other)),
    };
    Ok(CallTypes { arguments: vec![wide.clone()], result: wide })
}

/// Int and bigint stay, narrower numbers become int, decimals stay, the rest is double.
fn signed_types(name: &str, given: &[DataType]) -> Result<CallTypes> {
    check_count(name, given, 1, 1)?;
    let data_type = match normal(&given[0]) {
        DataType::Int8 | DataType::Int16 | DataType::Int32 => DataType::Int32,
        other if is_integer(&other) || matches!(other, DataType::Decimal128(..)) => other,
        other if is_numeric(&other) || is_string(&other) || other.is_null() => DataType::Float64,
        other => return plan_err!("{name} takes a number, found {}", type_name(&other)),
    };
    Ok(CallTypes { arguments: vec![data_type.clone()], result: data_type })
}

/// The negative, or of negative numbers only; whole numbers wrap.
fn signed(arguments: &Arguments, only_negative: bool) -> Result<ArrayRef> {
    let array = arguments.array(0);
    Ok(match array.data_type() {
        DataType::Int32 => Arc::new(
            array
                .as_primitive::<Int32Type>()
                .unary::<_, Int32Type>(|v| if only_negative { v.wrapping_abs() } else { v.wrapping_neg() }),
        ),
        DataType::Int64 => Arc::new(
            array
                .as_primitive::<Int64Type>()
                .unary::<_, Int64Type>(|v| if only_negative { v.wrapping_abs() } else { v.wrapping_neg() }),
        ),
        DataType::Decimal128(precision, scale) => {
            let decimals: Decimal128Array = array
                .as_primitive::<Decimal128Type>()
                .unary(|v| if only_negative { v.wrapping_abs() } else { v.wrapping_neg() });
            Arc::new(decimals.with_precision_and_scale(*precision, *scale)?)
        }
        _ => {
            let values = arguments.doubles(0)?;
            return arguments.to_doubles(|row| values.get(row).map(|v| if only_negative { v.abs() } else { -v }));
        }
    })
}

/// Doubles give bigint, decimals a decimal without a fraction and with a digit more.
fn whole_types(name: &str, given: &[DataType]) -> Result<CallTypes> {
    check_count(name, given, 1, 1)?;
    let from = normal(&given[0]);
    let (argument, result) = match &from {
        DataType::Decimal128(precision, scale) => {
            let digits = (*precision as i8 - scale + 1).clamp(1, 38) as u8;
            (from.clone(), DataType::Decimal128(digits, 0))
        }
        t if as_decimal(t).is_some() => (DataType::Int64, DataType::Int64),
        t if is_numeric(t) || is_string(t) || t.is_null() => (DataType::Float64, DataType::Int64),
        other => return plan_err!("{name} takes a number, found {}", type_name(other)),
    };
    Ok(CallTypes { arguments: vec![argument], result })
}

fn whole(arguments: &Arguments, of_double: fn(f64) -> f64, of_decimal: fn(i128, i128) -> i128) -> Result<ArrayRef> {
    match (arguments.data_type(0), &arguments.result) {
        (DataType::Decimal128(_, scale), DataType::Decimal128(precision, 0)) => {
            let unit = 10i128.pow(u32::from(scale.unsigned_abs()));
            let values = arguments.array(0).as_primitive::<Decimal128Type>();
            let values: Decimal128Array = values.unary(|v| of_decimal(v, unit));
            Ok(Arc::new(values.with_precision_and_scale(*precision, 0)?))
        }
        (DataType::Int64, _) => Ok(Arc::clone(arguments.array(0))),
        _ => {
            let values = arguments.doubles(0)?;
            // The cast saturates and NaN is 0, as in Java.
            arguments.to_longs(|row| values.get(row).map(|v| of_double(v) as i64))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_error};

    #[test]
    fn numbers() {
        check("sqrt(4)", "2.0");
        check("sqrt(-1)", "NULL");
        check("ln(0)", "NULL");
        check("log(2, 8)", "3.0");
        check("log(1, 8)", "NULL");
        check("log10(100)", "2.0");
        check("log2(8)", "3.0");
        check("pow(2, 3)", "8.0");
        check("abs(-2)", "2");
        check("abs('-2')", "2.0");
        check("negative(2)", "-2");
        check("floor(-0.1)", "-1");
        check("ceil(0.1)", "1");
        check("ceiling(-0.9)", "0");
        check("floor(7)", "7");
        check("sign(-3)", "-1.0");
        check("factorial(5)", "120");
        check("factorial(21)", "NULL");
        check("pi()", "3.141592653589793");
        check("shiftleft(1, 4)", "16");
        check("degrees(pi())", "180.0");
        check_error("abs(array(1))", "abs takes a number");
    }
}
