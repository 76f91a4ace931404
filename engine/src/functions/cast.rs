//! `CAST(x AS T)` and the conversions that happen without being asked for: what cannot be converted is NULL.
//!
//! Each target is a function of its own, `__cast_int`, `__cast_decimal(10,2)`, `__cast_varchar(5)`, so that a plan can
//! be written down by names. Where Arrow's cast means the same as Hive's (wider numbers), it is used instead.
//!
//! Source: Hive `UDFToBoolean`, `UDFToByte` … `UDFToDouble`, `GenericUDFToDecimal`, `GenericUDFToVarchar`,
//! `GenericUDFToDate`, `GenericUDFTimestamp`, `PrimitiveObjectInspectorUtils`. A char is kept without the blanks that
//! pad it; whoever prints it pads it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, Date32Array, Decimal128Array, Float64Array,
    GenericListArray, Int64Array, MapArray, PrimitiveArray, StringViewArray, StringViewBuilder, StructArray,
    TimestampNanosecondArray, new_null_array,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Field, FieldRef, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, TimestampNanosecondType,
};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    Cast, ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::builtin::type_name;
use super::civil_time::{
    date_of_days, days_of_date, nanos_of_time, parse_date_or_timestamp, parse_timestamp, time_of_nanos, write_date,
    write_timestamp,
};
use super::common_type::{as_decimal, is_binary, is_numeric, is_string, normal};
use super::java_number::{max_of_precision, parse_decimal, parse_double, parse_long, write_double, write_float};
use crate::hive_type::{self, HIVE_TYPE, character_limit};

/// Casts `expr` to the type of `field`, whose metadata may name a varchar or char.
///
/// Nulls and bad data: a value that does not convert is NULL. Errors: when the plan is made, if no value of the
/// expression's type can be converted.
pub fn cast_to(expr: Expr, field: &Field) -> Expr {
    let cast = HiveCast::new(normal(field.data_type()), character_limit(field));
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::new_from_impl(cast)), vec![expr]))
}

/// Casts `expr`, which is of type `from`, without more work than there is to do.
pub(super) fn convert(expr: Expr, from: &DataType, to: &DataType) -> Expr {
    if from == to || (is_string(from) && is_string(to)) {
        return expr;
    }
    if let Expr::Literal(value, _) = &expr
        && let Ok(array) = value.to_array()
        && let Ok(array) = cast_array(&array, to)
        && let Ok(value) = ScalarValue::try_from_array(&array, 0)
    {
        return Expr::Literal(value, None);
    }
    if widens(from, to) {
        return Expr::Cast(Cast::new(Box::new(expr), to.clone()));
    }
    cast_to(expr, &Field::new("", to.clone(), true))
}

/// Whether Arrow's cast is Hive's: every value of `from` has its place in `to`.
fn widens(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::Null, _) | (DataType::Date32, DataType::Timestamp(..)) => true,
        _ if from.is_signed_integer() && to.is_signed_integer() => from.primitive_width() <= to.primitive_width(),
        _ if from.is_integer() && to.is_floating() => true,
        (DataType::Float32, DataType::Float64) => true,
        _ => false,
    }
}

/// The cast function of this name, if it is one: `__cast_bigint`, `__cast_decimal(10,2)`, `__cast_char(3)`.
pub(super) fn cast_by_name(name: &str) -> Option<Arc<ScalarUDF>> {
    let hive_name = name.strip_prefix("__cast_")?;
    let (kind, parameters) = match hive_name.split_once('(') {
        Some((kind, rest)) => (kind, rest.strip_suffix(')')?),
        None => (hive_name, ""),
    };
    let data_type = match kind {
        "boolean" => DataType::Boolean,
        "tinyint" => DataType::Int8,
        "smallint" => DataType::Int16,
        "int" => DataType::Int32,
        "bigint" => DataType::Int64,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "string" | "varchar" | "char" => DataType::Utf8View,
        "binary" => DataType::Binary,
        "date" => DataType::Date32,
        "timestamp" => hive_type::timestamp(),
        "decimal" => {
            let (precision, scale) = parameters.split_once(',')?;
            DataType::Decimal128(precision.parse().ok()?, scale.parse().ok()?)
        }
        _ => return None,
    };
    let length = match kind {
        "varchar" => Some((parameters.parse().ok()?, false)),
        "char" => Some((parameters.parse().ok()?, true)),
        _ => None,
    };
    Some(Arc::new(ScalarUDF::new_from_impl(HiveCast::new(data_type, length))))
}

/// One cast: the target is part of the function.
#[derive(Debug, PartialEq, Eq, Hash)]
struct HiveCast {
    name: String,
    to: DataType,
    /// Length in characters and whether it is a char.
    length: Option<(usize, bool)>,
    signature: Signature,
}

impl HiveCast {
    fn new(to: DataType, length: Option<(usize, bool)>) -> Self {
        let hive_name = match length {
            Some((length, padded)) => format!("{}({length})", if padded { "char" } else { "varchar" }),
            None => type_name(&to),
        };
        let name = format!("__cast_{hive_name}");
        HiveCast { name, to, length, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for HiveCast {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [from] if can_cast(from, &self.to) => Ok(given.to_vec()),
            [from] => plan_err!("cannot cast {} to {}", type_name(from), self.name.trim_start_matches("__cast_")),
            _ => plan_err!("cast takes 1 argument, found {}", given.len()),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.to.clone())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs) -> Result<FieldRef> {
        let field = Field::new(&self.name, self.to.clone(), true);
        let Some((length, padded)) = self.length else { return Ok(Arc::new(field)) };
        let hive_name = format!("{}({length})", if padded { "char" } else { "varchar" });
        Ok(Arc::new(field.with_metadata(HashMap::from([(HIVE_TYPE.to_owned(), hive_name)]))))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match &args.args[0] {
            ColumnarValue::Array(array) => Ok(ColumnarValue::Array(self.apply(array)?)),
            ColumnarValue::Scalar(value) => {
                let array = self.apply(&value.to_array()?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?))
            }
        }
    }
}

impl HiveCast {
    fn apply(&self, array: &ArrayRef) -> Result<ArrayRef> {
        let array = cast_array(array, &self.to)?;
        let Some((length, padded)) = self.length else { return Ok(array) };
        let cut = array.as_string_view().iter().map(|value| {
            let value = value?;
            let cut = value.char_indices().nth(length).map_or(value, |(end, _)| &value[..end]);
            Some(if padded { cut.trim_end_matches(' ') } else { cut })
        });
        Ok(Arc::new(cut.collect::<StringViewArray>()))
    }
}

/// Whether Hive has a cast between these types at all.
fn can_cast(from: &DataType, to: &DataType) -> bool {
    let from = normal(from);
    let scalar_number = |t: &DataType| is_numeric(t) || matches!(t, DataType::Boolean);
    match (&from, to) {
        (DataType::Null, _) => true,
        (a, b) if a == b => true,
        (a, b) if a.is_nested() || b.is_nested() => {
            a.is_nested() && std::mem::discriminant(a) == std::mem::discriminant(b)
        }
        (DataType::Utf8View, _) => true,
        (a, DataType::Utf8View) => is_binary(a) || scalar_number(a) || super::common_type::is_temporal(a),
        (a, DataType::Binary) => is_binary(a),
        (a, _) if is_binary(a) => false,
        (DataType::Date32, DataType::Timestamp(..)) | (DataType::Timestamp(..), DataType::Date32) => true,
        (DataType::Date32, _) | (_, DataType::Date32) => false,
        (DataType::Timestamp(..), b) => scalar_number(b),
        (a, DataType::Timestamp(..)) => scalar_number(a),
        (a, b) => scalar_number(a) && scalar_number(b),
    }
}

/// Gives an array exactly the type that was promised, where only names inside differ.
pub(super) fn same_type(array: ArrayRef, promised: &DataType) -> Result<ArrayRef> {
    if array.data_type() == promised { Ok(array) } else { cast_array(&array, promised) }
}

/// Casts an array by Hive's rules; what does not convert is NULL.
pub(super) fn cast_array(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let from = array.data_type();
    if from == to {
        return Ok(Arc::clone(array));
    }
    if from.is_null() {
        return Ok(new_null_array(to, array.len()));
    }
    let normalized = normal(from);
    if *from != normalized && !from.is_nested() {
        return cast_array(&arrow_cast(array, &normalized)?, to);
    }
    match to {
        DataType::Utf8 | DataType::LargeUtf8 => arrow_cast(&to_string(array)?, to),
        DataType::Utf8View => to_string(array),
        DataType::Boolean => to_boolean(array),
        DataType::Int8 => to_integer::<Int8Type>(array, 32, |v| v as i8),
        DataType::Int16 => to_integer::<Int16Type>(array, 32, |v| v as i16),
        DataType::Int32 => to_integer::<Int32Type>(array, 32, |v| v as i32),
        DataType::Int64 => to_integer::<Int64Type>(array, 64, |v| v),
        DataType::Float32 if from.is_integer() => arrow_cast(array, to),
        DataType::Float32 => {
            let doubles = to_double(array)?;
            Ok(Arc::new(doubles.as_primitive::<Float64Type>().unary::<_, Float32Type>(|v| v as f32)))
        }
        DataType::Float64 => to_double(array),
        DataType::Decimal128(precision, scale) => to_decimal(array, *precision, *scale),
        DataType::Date32 => to_date(array),
        DataType::Timestamp(..) => to_timestamp(array),
        DataType::Binary => to_binary(array),
        DataType::List(item) => match array.as_list_opt::<i32>() {
            Some(list) => {
                let values = cast_array(list.values(), item.data_type())?;
                let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
                Ok(Arc::new(GenericListArray::<i32>::try_new(Arc::clone(item), offsets, values, nulls)?))
            }
            None => arrow_cast(array, to),
        },
        DataType::Struct(fields) => match array.as_struct_opt() {
            Some(source) if source.num_columns() == fields.len() => {
                let columns = source.columns().iter().zip(fields).map(|(c, f)| cast_array(c, f.data_type()));
                let columns = columns.collect::<Result<Vec<_>>>()?;
                let nulls = source.nulls().cloned();
                Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, source.len())?))
            }
            _ => arrow_cast(array, to),
        },
        DataType::Map(entries, sorted) => match array.as_map_opt() {
            Some(map) => {
                let source: ArrayRef = Arc::new(map.entries().clone());
                let cast = cast_array(&source, entries.data_type())?.as_struct().clone();
                let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
                Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, cast, nulls, *sorted)?))
            }
            None => arrow_cast(array, to),
        },
        _ => arrow_cast(array, to),
    }
}

fn arrow_cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    Ok(cast_with_options(array, to, &CastOptions { safe: true, ..Default::default() })?)
}

/// A text for each value, or NULL.
fn texts<T: ArrowPrimitiveType>(array: &ArrayRef, mut write: impl FnMut(T::Native, &mut String) -> bool) -> ArrayRef {
    let array = array.as_primitive::<T>();
    let mut builder = StringViewBuilder::with_capacity(array.len());
    let mut text = String::new();
    for value in array {
        text.clear();
        match value {
            Some(value) if write(value, &mut text) => builder.append_value(&text),
            _ => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}

fn to_string(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        DataType::Boolean => {
            let values = array.as_boolean().iter();
            Arc::new(values.map(|v| v.map(|v| if v { "TRUE" } else { "FALSE" })).collect::<StringViewArray>())
        }
        DataType::Float32 => texts::<Float32Type>(array, |v, out| {
            write_float(v, out);
            true
        }),
        DataType::Float64 => texts::<Float64Type>(array, |v, out| {
            write_double(v, out);
            true
        }),
        DataType::Date32 => texts::<Date32Type>(array, |v, out| date_of_days(v).map(|d| write_date(d, out)).is_some()),
        DataType::Timestamp(..) => texts::<TimestampNanosecondType>(array, |v, out| {
            time_of_nanos(v).map(|t| write_timestamp(t, out)).is_some()
        }),
        DataType::Binary => {
            let values = array.as_binary::<i32>().iter();
            Arc::new(values.map(|v| v.map(String::from_utf8_lossy)).collect::<StringViewArray>())
        }
        _ => arrow_cast(array, &DataType::Utf8View)?,
    })
}

fn to_boolean(array: &ArrayRef) -> Result<ArrayRef> {
    let booleans: BooleanArray = match array.data_type() {
        DataType::Boolean => return Ok(Arc::clone(array)),
        DataType::Utf8View => array.as_string_view().iter().map(|v| v.map(parse_boolean)).collect(),
        DataType::Float64 => array.as_primitive::<Float64Type>().iter().map(|v| v.map(|v| v != 0.0)).collect(),
        DataType::Float32 => array.as_primitive::<Float32Type>().iter().map(|v| v.map(|v| v != 0.0)).collect(),
        DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().iter().map(|v| v.map(|v| v != 0)).collect(),
        DataType::Timestamp(..) => {
            array.as_primitive::<TimestampNanosecondType>().iter().map(|v| v.map(|v| v != 0)).collect()
        }
        other if other.is_integer() => {
            let longs = arrow_cast(array, &DataType::Int64)?;
            longs.as_primitive::<Int64Type>().iter().map(|v| v.map(|v| v != 0)).collect()
        }
        _ => BooleanArray::new_null(array.len()),
    };
    Ok(Arc::new(booleans))
}

/// Empty, `false`, `off`, `no` and `0` are false, whatever their case; all other text is true.
///
/// Source: `PrimitiveObjectInspectorUtils.parseBoolean`.
fn parse_boolean(text: &str) -> bool {
    !["", "false", "off", "no", "0"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// `bits` is what Java goes through on the way from a double: an int for all but bigint.
fn to_integer<T>(array: &ArrayRef, bits: u8, wrap: fn(i64) -> T::Native) -> Result<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: TryFrom<i64>,
{
    let fit = |value: i64| T::Native::try_from(value).ok();
    let from_double = |value: f64| wrap(if bits == 32 { i64::from(value as i32) } else { value as i64 });
    let numbers: PrimitiveArray<T> = match array.data_type() {
        DataType::Utf8View => array.as_string_view().iter().map(|v| fit(parse_long(v?)?)).collect(),
        DataType::Boolean => array.as_boolean().iter().map(|v| v.map(|v| wrap(i64::from(v)))).collect(),
        DataType::Float64 => array.as_primitive::<Float64Type>().iter().map(|v| v.map(from_double)).collect(),
        DataType::Float32 => {
            array.as_primitive::<Float32Type>().iter().map(|v| v.map(|v| from_double(f64::from(v)))).collect()
        }
        DataType::Decimal128(_, scale) => {
            let unit = 10i128.pow(u32::from(scale.unsigned_abs()));
            let whole = |v: i128| if *scale >= 0 { v / unit } else { v.saturating_mul(unit) };
            let values = array.as_primitive::<Decimal128Type>().iter();
            values.map(|v| fit(i64::try_from(whole(v?)).ok()?)).collect()
        }
        DataType::Timestamp(..) => {
            let values = array.as_primitive::<TimestampNanosecondType>().iter();
            values.map(|v| fit(v?.div_euclid(1_000_000_000))).collect()
        }
        other if other.is_integer() => {
            let longs = arrow_cast(array, &DataType::Int64)?;
            longs.as_primitive::<Int64Type>().iter().map(|v| v.map(wrap)).collect()
        }
        _ => PrimitiveArray::new_null(array.len()),
    };
    Ok(Arc::new(numbers))
}

fn to_double(array: &ArrayRef) -> Result<ArrayRef> {
    let doubles: Float64Array = match array.data_type() {
        DataType::Utf8View => array.as_string_view().iter().map(|v| parse_double(v?)).collect(),
        DataType::Boolean => array.as_boolean().iter().map(|v| v.map(|v| f64::from(u8::from(v)))).collect(),
        DataType::Timestamp(..) => {
            let values = array.as_primitive::<TimestampNanosecondType>().iter();
            values.map(|v| v.map(seconds_of_nanos)).collect()
        }
        DataType::Decimal128(_, scale) => {
            let values = array.as_primitive::<Decimal128Type>().iter();
            values.map(|v| v.map(|v| decimal_to_double(v, *scale))).collect()
        }
        DataType::Date32 | DataType::Binary => Float64Array::new_null(array.len()),
        _ => return arrow_cast(array, &DataType::Float64),
    };
    Ok(Arc::new(doubles))
}

/// Source: `TimestampWritableV2.getDouble`.
fn seconds_of_nanos(nanos: i64) -> f64 {
    nanos.div_euclid(1_000_000_000) as f64 + nanos.rem_euclid(1_000_000_000) as f64 / 1e9
}

/// The double nearest to a decimal, by way of its text where two roundings could differ from one.
pub(super) fn decimal_to_double(value: i128, scale: i8) -> f64 {
    if value.unsigned_abs() < 1 << 53 && (0..=22).contains(&scale) {
        return value as f64 / 10f64.powi(i32::from(scale));
    }
    format!("{value}e{}", -i32::from(scale)).parse().unwrap_or(f64::NAN)
}

fn to_decimal(array: &ArrayRef, precision: u8, scale: i8) -> Result<ArrayRef> {
    let max = max_of_precision(precision);
    let fit = |value: i128| (value.unsigned_abs() <= max.unsigned_abs()).then_some(value);
    let from_text = |text: &str| parse_decimal(text, precision, scale);
    let decimals: Decimal128Array = match array.data_type() {
        DataType::Utf8View => array.as_string_view().iter().map(|v| from_text(v?)).collect(),
        DataType::Float64 | DataType::Float32 | DataType::Timestamp(..) => {
            let array = match array.data_type() {
                DataType::Timestamp(..) => to_string(&to_double(array)?)?,
                _ => to_string(array)?,
            };
            array.as_string_view().iter().map(|v| from_text(v?)).collect()
        }
        DataType::Boolean => array.as_boolean().iter().map(|v| fit(rescale(i128::from(v?), 0, scale)?)).collect(),
        DataType::Decimal128(_, from) => {
            array.as_primitive::<Decimal128Type>().iter().map(|v| fit(rescale(v?, *from, scale)?)).collect()
        }
        other if as_decimal(other).is_some() => {
            let longs = arrow_cast(array, &DataType::Int64)?;
            longs.as_primitive::<Int64Type>().iter().map(|v| fit(rescale(i128::from(v?), 0, scale)?)).collect()
        }
        _ => Decimal128Array::new_null(array.len()),
    };
    Ok(Arc::new(decimals.with_precision_and_scale(precision, scale)?))
}

/// Moves the point of a decimal, rounding half up.
pub(super) fn rescale(value: i128, from: i8, to: i8) -> Option<i128> {
    if to >= from {
        return value.checked_mul(10i128.checked_pow(u32::from((to - from) as u8))?);
    }
    let unit = 10i128.checked_pow(u32::from((from - to) as u8))?;
    let (quotient, rest) = (value / unit, value % unit);
    let away = rest.unsigned_abs() >= unit.unsigned_abs().div_ceil(2);
    Some(quotient + if away { value.signum() } else { 0 })
}

fn to_date(array: &ArrayRef) -> Result<ArrayRef> {
    let dates: Date32Array = match array.data_type() {
        DataType::Utf8View => {
            array.as_string_view().iter().map(|v| days_of_date(parse_date_or_timestamp(v?)?)).collect()
        }
        DataType::Timestamp(..) => {
            let values = array.as_primitive::<TimestampNanosecondType>().iter();
            values.map(|v| i32::try_from(v?.div_euclid(86_400_000_000_000)).ok()).collect()
        }
        _ => Date32Array::new_null(array.len()),
    };
    Ok(Arc::new(dates))
}

fn to_timestamp(array: &ArrayRef) -> Result<ArrayRef> {
    let timestamps: TimestampNanosecondArray = match array.data_type() {
        DataType::Utf8View => array.as_string_view().iter().map(|v| nanos_of_time(parse_timestamp(v?)?)).collect(),
        DataType::Date32 => {
            let values = array.as_primitive::<Date32Type>().iter();
            values.map(|v| i64::from(v?).checked_mul(86_400_000_000_000)).collect()
        }
        DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) => {
            // Seconds with a fraction, cut to nanoseconds. Source: `TimestampUtils.doubleToTimestamp`.
            let decimals = to_decimal(array, 38, 9)?;
            decimals.as_primitive::<Decimal128Type>().iter().map(|v| i64::try_from(v?).ok()).collect()
        }
        // Whole numbers are milliseconds (`hive.int.timestamp.conversion.in.seconds` is off).
        DataType::Boolean => array.as_boolean().iter().map(|v| v.map(|v| i64::from(v) * 1_000_000)).collect(),
        other if other.is_integer() => {
            let longs: Int64Array = arrow_cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone();
            longs.iter().map(|v| v?.checked_mul(1_000_000)).collect()
        }
        _ => TimestampNanosecondArray::new_null(array.len()),
    };
    Ok(Arc::new(timestamps))
}

fn to_binary(array: &ArrayRef) -> Result<ArrayRef> {
    let DataType::Utf8View = array.data_type() else { return arrow_cast(array, &DataType::Binary) };
    let mut builder = BinaryBuilder::new();
    for value in array.as_string_view() {
        builder.append_option(value.map(str::as_bytes));
    }
    Ok(Arc::new(builder.finish()))
}
