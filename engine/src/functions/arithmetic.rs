//! `/`, `%`, `div`, `pmod`, and `+`, `-`, `*` where decimals are involved. Division by zero is NULL.
//!
//! Source: Hive `GenericUDFBaseNumeric` (precision and scale of a result), `GenericUDFOPDivide`, `GenericUDFOPMod`,
//! `GenericUDFPosMod`, `UDFOPLongDivide`. A decimal that does not fit its precision is NULL.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    i256,
};
use datafusion::common::{Result, internal_err, plan_err};

use super::builtin::{Arguments, Builtin, CallTypes, Kind, check_count, type_name};
use super::common_type::{MAX_PRECISION, arithmetic_type, as_decimal, is_decimal};
use super::java_number::max_of_precision;

/// An operator on two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    PositiveRemainder,
}

pub(super) fn builtins() -> Vec<Builtin> {
    vec![
        operation("__add", Operation::Add),
        operation("__subtract", Operation::Subtract),
        operation("__multiply", Operation::Multiply),
        operation("__divide", Operation::Divide),
        operation("mod", Operation::Remainder),
        operation("pmod", Operation::PositiveRemainder),
        // Strings and doubles are cut to whole numbers first; Hive takes whole numbers only.
        Builtin::fixed("div", &[Kind::Long, Kind::Long], 0, Kind::Long, |arguments| {
            let (left, right) = (arguments.longs(0)?, arguments.longs(1)?);
            arguments.to_longs(|row| {
                let (left, right) = (left.get(row)?, right.get(row)?);
                (right != 0).then(|| left.wrapping_div(right))
            })
        }),
    ]
}

fn operation(name: &'static str, operation: Operation) -> Builtin {
    let types = move |given: &[DataType]| {
        check_count(name, given, 2, 2)?;
        match operation_types(operation, &given[0], &given[1]) {
            Some(types) => Ok(types),
            None => plan_err!(
                "{} takes two numbers, found {} and {}",
                name.trim_start_matches("__"),
                type_name(&given[0]),
                type_name(&given[1])
            ),
        }
    };
    Builtin::new(name, types, move |arguments| evaluate(operation, arguments))
}

fn operation_types(operation: Operation, left: &DataType, right: &DataType) -> Option<CallTypes> {
    let common = arithmetic_type(left, right)?;
    if is_decimal(&common) {
        // A NULL takes the other's digits.
        let (p1, s1) = as_decimal(left).or(as_decimal(right))?;
        let (p2, s2) = as_decimal(right).or(as_decimal(left))?;
        let (precision, scale) = decimal_result(operation, (p1, s1), (p2, s2));
        return Some(CallTypes {
            arguments: vec![DataType::Decimal128(p1, s1), DataType::Decimal128(p2, s2)],
            result: DataType::Decimal128(precision, scale),
        });
    }
    let common = if operation == Operation::Divide { DataType::Float64 } else { common };
    Some(CallTypes { arguments: vec![common.clone(); 2], result: common })
}

/// Precision and scale of a result, cut to 38 digits so that whole digits are kept first.
///
/// Source: `deriveResultDecimalTypeInfo` of Hive's `GenericUDFOPPlus` and its kin, `GenericUDFBaseNumeric.adjustPrecScale`.
fn decimal_result(operation: Operation, (p1, s1): (u8, i8), (p2, s2): (u8, i8)) -> (u8, i8) {
    let (p1, p2, s1, s2) = (i32::from(p1), i32::from(p2), i32::from(s1), i32::from(s2));
    let wider_scale = s1.max(s2);
    let max = i32::from(MAX_PRECISION);
    let (precision, scale) = match operation {
        Operation::Add | Operation::Subtract => ((p1 - s1).max(p2 - s2) + wider_scale + 1, wider_scale),
        Operation::Multiply => (p1 + p2 + 1, s1 + s2),
        Operation::Divide => {
            let scale = 6.max(s1 + p2 + 1);
            (p1 - s1 + s2 + scale, scale)
        }
        Operation::Remainder => ((p1 - s1).min(p2 - s2) + wider_scale, wider_scale),
        // Here whole digits go first.
        Operation::PositiveRemainder => (max.min((p1 - s1).max(p2 - s2) + wider_scale), wider_scale),
    };
    if precision <= max {
        return (precision as u8, scale as i8);
    }
    let scale = (max - (precision - scale)).max(scale.min(6));
    (MAX_PRECISION, scale as i8)
}

fn evaluate(operation: Operation, arguments: &Arguments) -> Result<ArrayRef> {
    match &arguments.result {
        DataType::Decimal128(precision, scale) => evaluate_decimal(operation, arguments, *precision, *scale),
        DataType::Float64 => each::<Float64Type>(arguments, |l, r| float_operation(operation, l, r)),
        DataType::Float32 => each::<Float32Type>(arguments, |l, r| {
            float_operation(operation, f64::from(l), f64::from(r)).map(|v| v as f32)
        }),
        // Narrow types are computed wide and wrapped, as Java does.
        DataType::Int64 => each::<Int64Type>(arguments, |l, r| long_operation(operation, l, r)),
        DataType::Int32 => {
            each::<Int32Type>(arguments, |l, r| long_operation(operation, l.into(), r.into()).map(|v| v as i32))
        }
        DataType::Int16 => {
            each::<Int16Type>(arguments, |l, r| long_operation(operation, l.into(), r.into()).map(|v| v as i16))
        }
        DataType::Int8 => {
            each::<Int8Type>(arguments, |l, r| long_operation(operation, l.into(), r.into()).map(|v| v as i8))
        }
        other => internal_err!("arithmetic on {other}"),
    }
}

fn each<T: ArrowPrimitiveType>(
    arguments: &Arguments,
    f: impl Fn(T::Native, T::Native) -> Option<T::Native>,
) -> Result<ArrayRef> {
    let (left, right) = (arguments.primitives::<T>(0)?, arguments.primitives::<T>(1)?);
    let values = (0..arguments.rows).map(|row| f(left.get(row)?, right.get(row)?));
    Ok(Arc::new(values.collect::<PrimitiveArray<T>>()))
}

fn float_operation(operation: Operation, left: f64, right: f64) -> Option<f64> {
    match operation {
        Operation::Add => Some(left + right),
        Operation::Subtract => Some(left - right),
        Operation::Multiply => Some(left * right),
        _ if right == 0.0 => None,
        Operation::Divide => Some(left / right),
        Operation::Remainder => Some(left % right),
        Operation::PositiveRemainder => Some((left % right + right) % right),
    }
}

fn long_operation(operation: Operation, left: i64, right: i64) -> Option<i64> {
    match operation {
        Operation::Add => Some(left.wrapping_add(right)),
        Operation::Subtract => Some(left.wrapping_sub(right)),
        Operation::Multiply => Some(left.wrapping_mul(right)),
        _ if right == 0 => None,
        Operation::Divide => Some(left.wrapping_div(right)),
        Operation::Remainder => Some(left.wrapping_rem(right)),
        Operation::PositiveRemainder => Some(left.wrapping_rem(right).wrapping_add(right).wrapping_rem(right)),
    }
}

fn evaluate_decimal(operation: Operation, arguments: &Arguments, precision: u8, scale: i8) -> Result<ArrayRef> {
    let scale_of = |position| as_decimal(arguments.data_type(position)).map_or(0, |(_, scale)| scale);
    let (s1, s2) = (scale_of(0), scale_of(1));
    let (left, right) = (arguments.primitives::<Decimal128Type>(0)?, arguments.primitives::<Decimal128Type>(1)?);
    let max = i256::from_i128(max_of_precision(precision));
    let values = (0..arguments.rows).map(|row| {
        let (left, right) = (i256::from_i128(left.get(row)?), i256::from_i128(right.get(row)?));
        let value = decimal_operation(operation, (left, s1), (right, s2), scale)?;
        if value > max || value < max.wrapping_neg() { None } else { value.to_i128() }
    });
    let values: Decimal128Array = values.collect();
    Ok(Arc::new(values.with_precision_and_scale(precision, scale)?))
}

fn decimal_operation(operation: Operation, (left, s1): (i256, i8), (right, s2): (i256, i8), scale: i8) -> Option<i256> {
    let wider = s1.max(s2);
    let same_scale = || Some((rescale(left, s1, wider)?, rescale(right, s2, wider)?));
    match operation {
        Operation::Add => {
            let (left, right) = same_scale()?;
            rescale(left.checked_add(right)?, wider, scale)
        }
        Operation::Subtract => {
            let (left, right) = same_scale()?;
            rescale(left.checked_sub(right)?, wider, scale)
        }
        Operation::Multiply => rescale(left.checked_mul(right)?, s1 + s2, scale),
        _ if right == i256::ZERO => None,
        Operation::Divide => {
            let shift = i32::from(scale) - i32::from(s1) + i32::from(s2);
            let (left, right) = if shift >= 0 {
                (left.checked_mul(power_of_ten(shift as u32)?)?, right)
            } else {
                (left, right.checked_mul(power_of_ten(shift.unsigned_abs())?)?)
            };
            divide_half_up(left, right)
        }
        Operation::Remainder => {
            let (left, right) = same_scale()?;
            rescale(left.checked_rem(right)?, wider, scale)
        }
        Operation::PositiveRemainder => {
            let (left, right) = same_scale()?;
            let positive = left.checked_rem(right)?.checked_add(right)?.checked_rem(right)?;
            rescale(positive, wider, scale)
        }
    }
}

fn power_of_ten(exponent: u32) -> Option<i256> {
    i256::from_i128(10).checked_pow(exponent)
}

fn rescale(value: i256, from: i8, to: i8) -> Option<i256> {
    if to >= from {
        return value.checked_mul(power_of_ten((to - from) as u32)?);
    }
    divide_half_up(value, power_of_ten((from - to) as u32)?)
}

/// The quotient, rounded half up; nothing by zero.
pub(super) fn divide_half_up(left: i256, right: i256) -> Option<i256> {
    let quotient = left.checked_div(right)?;
    let rest = left.checked_rem(right)?.wrapping_abs();
    let away = rest.checked_mul(i256::from_i128(2))? >= right.wrapping_abs();
    if !away {
        return Some(quotient);
    }
    let negative = left.is_negative() != right.is_negative();
    quotient.checked_add(if negative { i256::MINUS_ONE } else { i256::ONE })
}
