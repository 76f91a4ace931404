//! The type that two types have in common: for CASE, IF, COALESCE and UNION; for comparison; for arithmetic.
//!
//! Source: Hive `FunctionRegistry.getCommonClass`, `getCommonClassForComparison`, `GenericUDFBaseNumeric`. One place
//! differs on purpose: a decimal with a float or double is a double everywhere, not only in arithmetic.

use arrow::datatypes::{DataType, Field, Fields};
use std::sync::Arc;

use crate::hive_type;

/// The most digits a decimal has.
pub(super) const MAX_PRECISION: u8 = 38;

/// The common type of the branches of CASE, IF, COALESCE and UNION; nothing if there is none.
///
/// A string with a number or a date is a string, numbers go to the wider, NULL fits all.
pub fn common_type(a: &DataType, b: &DataType) -> Option<DataType> {
    if a == b {
        return Some(normal(a));
    }
    match (a, b) {
        (DataType::Null, other) | (other, DataType::Null) => Some(normal(other)),
        _ if is_string(a) && (is_string(b) || is_numeric(b) || is_temporal(b)) => Some(DataType::Utf8View),
        _ if is_string(b) && (is_numeric(a) || is_temporal(a)) => Some(DataType::Utf8View),
        _ if is_numeric(a) && is_numeric(b) => Some(wider_number(a, b)),
        _ if is_temporal(a) && is_temporal(b) => Some(hive_type::timestamp()),
        _ if is_binary(a) && is_binary(b) => Some(DataType::Binary),
        (DataType::List(x), DataType::List(y)) => {
            let item = common_type(x.data_type(), y.data_type())?;
            Some(DataType::List(Arc::new(x.as_ref().clone().with_data_type(item).with_nullable(true))))
        }
        (DataType::Struct(x), DataType::Struct(y)) if x.len() == y.len() => {
            let fields = x.iter().zip(y).map(|(x, y)| {
                let common = common_type(x.data_type(), y.data_type())?;
                Some(Field::new(x.name(), common, true))
            });
            Some(DataType::Struct(fields.collect::<Option<Fields>>()?))
        }
        (DataType::Map(x, sorted), DataType::Map(y, _)) => {
            let entries = common_type(x.data_type(), y.data_type())?;
            Some(DataType::Map(Arc::new(x.as_ref().clone().with_data_type(entries)), *sorted))
        }
        _ => None,
    }
}

/// The type in which two values are compared; nothing if they cannot be.
///
/// A string meets a number as double, a date as date, a timestamp as timestamp.
pub fn comparison_type(a: &DataType, b: &DataType) -> Option<DataType> {
    if a == b {
        return Some(normal(a));
    }
    match (a, b) {
        (DataType::Null, other) | (other, DataType::Null) => Some(normal(other)),
        _ if is_string(a) && is_string(b) => Some(DataType::Utf8View),
        _ if is_temporal(a) && is_temporal(b) => Some(hive_type::timestamp()),
        _ if is_temporal(a) && is_string(b) => Some(normal(a)),
        _ if is_temporal(b) && is_string(a) => Some(normal(b)),
        (DataType::Timestamp(..), other) | (other, DataType::Timestamp(..)) if is_numeric(other) => {
            Some(DataType::Float64)
        }
        _ if is_numeric(a) && is_numeric(b) => Some(wider_number(a, b)),
        _ if is_binary(a) && is_binary(b) => Some(DataType::Binary),
        // Everything else that is primitive meets as double; there a word is NULL.
        _ if is_double_like(a) && is_double_like(b) => Some(DataType::Float64),
        _ => None,
    }
}

/// The type of `a + b`, `a - b`, `a * b` and `a % b` before a decimal's digits are counted.
pub(super) fn arithmetic_type(a: &DataType, b: &DataType) -> Option<DataType> {
    let numeric = |t: &DataType| match t {
        _ if is_string(t) => Some(DataType::Float64),
        DataType::Null => Some(DataType::Null),
        _ if is_numeric(t) => Some(integer_of(t)),
        _ => None,
    };
    let (a, b) = (numeric(a)?, numeric(b)?);
    Some(match (&a, &b) {
        (DataType::Null, DataType::Null) => DataType::Float64,
        (DataType::Null, other) | (other, DataType::Null) => other.clone(),
        _ => wider_number(&a, &b),
    })
}

/// The wider of two number types; a decimal that holds both, where one is a decimal.
fn wider_number(a: &DataType, b: &DataType) -> DataType {
    let (a, b) = (integer_of(a), integer_of(b));
    if let (Some((p1, s1)), Some((p2, s2))) = (as_decimal(&a), as_decimal(&b))
        && (is_decimal(&a) || is_decimal(&b))
    {
        let scale = s1.max(s2);
        let whole = (p1 as i8 - s1).max(p2 as i8 - s2);
        let precision = ((whole + scale) as u8).min(MAX_PRECISION);
        return DataType::Decimal128(precision, scale.min(precision as i8));
    }
    if is_decimal(&a) || is_decimal(&b) {
        return DataType::Float64;
    }
    if rank(&a) >= rank(&b) { a } else { b }
}

fn rank(data_type: &DataType) -> u8 {
    match data_type {
        DataType::Int8 => 1,
        DataType::Int16 => 2,
        DataType::Int32 => 3,
        DataType::Int64 => 4,
        DataType::Float32 => 5,
        _ => 6,
    }
}

/// The digits that a whole number or decimal needs, as precision and scale.
pub(super) fn as_decimal(data_type: &DataType) -> Option<(u8, i8)> {
    match data_type {
        DataType::Int8 => Some((3, 0)),
        DataType::Int16 => Some((5, 0)),
        DataType::Int32 => Some((10, 0)),
        DataType::Int64 => Some((19, 0)),
        DataType::Decimal128(precision, scale) => Some((*precision, *scale)),
        _ => None,
    }
}

/// DataFusion's unsigned numbers as the Hive type that holds them.
fn integer_of(data_type: &DataType) -> DataType {
    match data_type {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Decimal256(_, scale) => DataType::Decimal128(MAX_PRECISION, *scale),
        DataType::Float16 => DataType::Float32,
        other => other.clone(),
    }
}

/// The one Arrow type for a Hive type: `Utf8View` for all strings.
pub(super) fn normal(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(_, value) => normal(value),
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(..) => hive_type::timestamp(),
        other => integer_of(other),
    }
}

pub(super) fn is_string(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_string(value),
        _ => false,
    }
}

pub(super) fn is_binary(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
}

pub(super) fn is_decimal(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Decimal128(..) | DataType::Decimal256(..))
}

pub(super) fn is_numeric(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

pub(super) fn is_integer(data_type: &DataType) -> bool {
    data_type.is_integer()
}

pub(super) fn is_temporal(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..))
}

fn is_double_like(data_type: &DataType) -> bool {
    is_string(data_type) || is_numeric(data_type) || matches!(data_type, DataType::Boolean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_of_case() {
        use DataType::{Boolean, Date32, Decimal128, Float32, Float64, Int8, Int32, Int64, Null, Utf8, Utf8View};
        for (a, b, expected) in [
            (Int32, Utf8, Some(Utf8View)),
            (Int8, Int64, Some(Int64)),
            (Int64, Float32, Some(Float32)),
            (Null, Utf8, Some(Utf8View)),
            (Date32, Utf8View, Some(Utf8View)),
            (Boolean, Utf8, None),
            (Boolean, Int32, None),
            (Int32, Decimal128(5, 2), Some(Decimal128(12, 2))),
            (Float64, Decimal128(5, 2), Some(Float64)),
        ] {
            assert_eq!(common_type(&a, &b), expected, "{a} {b}");
            assert_eq!(common_type(&b, &a), expected, "{b} {a}");
        }
    }

    #[test]
    fn comparisons() {
        use DataType::{Boolean, Date32, Float64, Int32, List, Utf8, Utf8View};
        let timestamp = hive_type::timestamp();
        for (a, b, expected) in [
            (Int32, Utf8, Some(Float64)),
            (Date32, Utf8, Some(Date32)),
            (timestamp.clone(), Utf8View, Some(timestamp.clone())),
            (Date32, timestamp.clone(), Some(timestamp.clone())),
            (timestamp, Int32, Some(Float64)),
            (Boolean, Utf8, Some(Float64)),
            (Date32, Int32, None),
            (List(Arc::new(Field::new("item", Int32, true))), Int32, None),
        ] {
            assert_eq!(comparison_type(&a, &b), expected, "{a} {b}");
        }
    }
}
