//! How a scalar function of Hive is written down: its name, what it takes, what it gives, and one evaluator.
//!
//! DataFusion's own coercion is not used: a function receives the types as they are and its arguments are turned into
//! what it takes by [`cast`](super::cast), that is, by Hive's rules: what cannot be turned is NULL.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array,
    PrimitiveArray, StringViewArray, StringViewBuilder, TimestampNanosecondArray,
};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Field, FieldRef, Float64Type, Int32Type, Int64Type,
    TimestampNanosecondType,
};
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::cast;
use crate::hive_type;

/// What a parameter takes; every primitive value is cast to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    String,
    Int,
    Long,
    Double,
    Boolean,
    Binary,
    Date,
    Timestamp,
}

impl Kind {
    pub(super) fn data_type(self) -> DataType {
        match self {
            Kind::String => DataType::Utf8View,
            Kind::Int => DataType::Int32,
            Kind::Long => DataType::Int64,
            Kind::Double => DataType::Float64,
            Kind::Boolean => DataType::Boolean,
            Kind::Binary => DataType::Binary,
            Kind::Date => DataType::Date32,
            Kind::Timestamp => hive_type::timestamp(),
        }
    }
}

/// The types that a call wants of its arguments, and the type of its result.
pub(super) struct CallTypes {
    pub arguments: Vec<DataType>,
    pub result: DataType,
}

type Types = dyn Fn(&[DataType]) -> Result<CallTypes> + Send + Sync;
type Evaluate = dyn Fn(&Arguments) -> Result<ArrayRef> + Send + Sync;
type ResultField = fn(&ReturnFieldArgs) -> Result<DataType>;
type Simplify = fn(&[Expr], &SimplifyContext) -> Result<Option<Expr>>;

/// One scalar function of Hive.
#[derive(Clone)]
pub(super) struct Builtin {
    name: &'static str,
    aliases: Vec<String>,
    signature: Signature,
    types: Arc<Types>,
    evaluate: Arc<Evaluate>,
    result_of_constants: Option<ResultField>,
    simplify: Option<Simplify>,
}

impl Builtin {
    /// A function whose types follow from those of its arguments.
    pub fn new(
        name: &'static str,
        types: impl Fn(&[DataType]) -> Result<CallTypes> + Send + Sync + 'static,
        evaluate: impl Fn(&Arguments) -> Result<ArrayRef> + Send + Sync + 'static,
    ) -> Self {
        Builtin {
            name,
            aliases: Vec::new(),
            signature: Signature::user_defined(Volatility::Immutable),
            types: Arc::new(types),
            evaluate: Arc::new(evaluate),
            result_of_constants: None,
            simplify: None,
        }
    }

    /// A function that takes these kinds, of which the last `n_optional` may be left out, and gives `result`.
    pub fn fixed(
        name: &'static str,
        takes: &'static [Kind],
        n_optional: usize,
        result: Kind,
        evaluate: impl Fn(&Arguments) -> Result<ArrayRef> + Send + Sync + 'static,
    ) -> Self {
        let types = move |given: &[DataType]| fixed_types(name, takes, n_optional, result.data_type(), given);
        Builtin::new(name, types, evaluate)
    }

    /// Gives the function other names.
    pub fn alias(mut self, aliases: &[&str]) -> Self {
        self.aliases.extend(aliases.iter().map(|a| (*a).to_owned()));
        self
    }

    /// The result's type depends on constant arguments: the precision of `round`, the names of `named_struct`.
    pub fn result_of_constants(mut self, result: ResultField) -> Self {
        self.result_of_constants = Some(result);
        self
    }

    /// The optimizer may write the call otherwise.
    pub fn simplify(mut self, simplify: Simplify) -> Self {
        self.simplify = Some(simplify);
        self
    }

    /// The value is of the query, not of the arguments: `current_date`.
    pub fn stable(mut self) -> Self {
        self.signature = Signature::user_defined(Volatility::Stable);
        self
    }

    pub fn into_udf(self) -> Arc<ScalarUDF> {
        Arc::new(ScalarUDF::new_from_impl(self))
    }
}

/// Checks the number of arguments and that every one is primitive.
pub(super) fn fixed_types(
    name: &str,
    takes: &[Kind],
    n_optional: usize,
    result: DataType,
    given: &[DataType],
) -> Result<CallTypes> {
    check_count(name, given, takes.len() - n_optional, takes.len())?;
    for (position, data_type) in given.iter().enumerate() {
        if data_type.is_nested() {
            return plan_err!(
                "{name} takes {} as its {} argument, found {}",
                type_name(&takes[position].data_type()),
                ordinal(position),
                type_name(data_type)
            );
        }
    }
    Ok(CallTypes { arguments: takes[..given.len()].iter().map(|k| k.data_type()).collect(), result })
}

/// Fails unless there are between `min` and `max` arguments.
pub(super) fn check_count(name: &str, given: &[DataType], min: usize, max: usize) -> Result<()> {
    if (min..=max).contains(&given.len()) {
        return Ok(());
    }
    let takes = match (min, max) {
        (min, usize::MAX) => format!("at least {min}"),
        (min, max) if min == max => min.to_string(),
        (min, max) => format!("{min} to {max}"),
    };
    plan_err!("{name} takes {takes} {}, found {}", if takes == "1" { "argument" } else { "arguments" }, given.len())
}

/// Hive's name of a type, for messages.
pub fn type_name(data_type: &DataType) -> String {
    hive_type::hive_type_name(&Field::new("", data_type.clone(), true)).into_owned()
}

pub(super) fn ordinal(position: usize) -> String {
    match position {
        0 => "first".to_owned(),
        1 => "second".to_owned(),
        2 => "third".to_owned(),
        n => format!("{}th", n + 1),
    }
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builtin").field("name", &self.name).finish_non_exhaustive()
    }
}

impl PartialEq for Builtin {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Builtin {}

impl Hash for Builtin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Builtin {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        (self.types)(given)?;
        Ok(given.to_vec())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok((self.types)(given)?.result)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let result = match self.result_of_constants {
            Some(result) => result(&args)?,
            None => self.return_type(&args.arg_fields.iter().map(|f| f.data_type().clone()).collect::<Vec<_>>())?,
        };
        Ok(Arc::new(Field::new(self.name, result, true)))
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        if let Some(simplify) = self.simplify
            && let Some(expr) = simplify(&args, info)?
        {
            return Ok(ExprSimplifyResult::Simplified(expr));
        }
        Ok(ExprSimplifyResult::Original(args))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let given: Vec<DataType> = args.args.iter().map(ColumnarValue::data_type).collect();
        let wanted = (self.types)(&given)?.arguments;
        let all_constant = args.args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let rows = if all_constant { 1 } else { args.number_rows };
        let mut columns = Vec::with_capacity(args.args.len());
        for (argument, wanted) in args.args.iter().zip(&wanted) {
            let (array, constant) = match argument {
                ColumnarValue::Array(array) => (Arc::clone(array), false),
                ColumnarValue::Scalar(scalar) => (scalar.to_array()?, true),
            };
            columns.push((cast::cast_array(&array, wanted)?, constant && !all_constant));
        }
        let arguments = Arguments { columns, rows, result: args.return_field.data_type().clone() };
        let array = (self.evaluate)(&arguments)?;
        // Lists and maps name their fields; what the plan was promised is what it gets.
        let array = cast::same_type(array, args.return_field.data_type())?;
        if all_constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?));
        }
        Ok(ColumnarValue::Array(array))
    }
}

/// The arguments of one call over one batch.
pub(super) struct Arguments {
    columns: Vec<(ArrayRef, bool)>,
    pub rows: usize,
    /// The type that was promised.
    pub result: DataType,
}

impl Arguments {
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// The column at `position`; a constant has one row.
    pub fn array(&self, position: usize) -> &ArrayRef {
        &self.columns[position].0
    }

    pub fn data_type(&self, position: usize) -> &DataType {
        self.array(position).data_type()
    }

    /// The row of the array at `position` that belongs to row `row` of the batch.
    pub fn row(&self, position: usize, row: usize) -> usize {
        if self.columns[position].1 { 0 } else { row }
    }

    /// Whether the argument at `position` is one value for the whole batch.
    pub fn is_constant(&self, position: usize) -> bool {
        self.columns[position].1 || self.rows == 1
    }

    /// The argument as an array with a row for each row of the batch.
    pub fn full(&self, position: usize) -> Result<ArrayRef> {
        let (array, constant) = &self.columns[position];
        if *constant {
            return ScalarValue::try_from_array(array, 0)?.to_array_of_size(self.rows);
        }
        Ok(Arc::clone(array))
    }

    fn typed<T: Any>(&self, position: usize) -> Result<Column<'_, T>> {
        let (array, constant) = &self.columns[position];
        match (array.as_any()).downcast_ref::<T>() {
            Some(array) => Ok(Column { array, constant: *constant }),
            None => Err(DataFusionError::Internal(format!("argument {position} is a {}", array.data_type()))),
        }
    }

    pub fn strings(&self, position: usize) -> Result<Column<'_, StringViewArray>> {
        self.typed(position)
    }

    pub fn binaries(&self, position: usize) -> Result<Column<'_, BinaryArray>> {
        self.typed(position)
    }

    pub fn booleans(&self, position: usize) -> Result<Column<'_, BooleanArray>> {
        self.typed(position)
    }

    pub fn ints(&self, position: usize) -> Result<Column<'_, Int32Array>> {
        self.typed(position)
    }

    pub fn longs(&self, position: usize) -> Result<Column<'_, Int64Array>> {
        self.typed(position)
    }

    pub fn doubles(&self, position: usize) -> Result<Column<'_, Float64Array>> {
        self.typed(position)
    }

    pub fn dates(&self, position: usize) -> Result<Column<'_, Date32Array>> {
        self.typed(position)
    }

    pub fn timestamps(&self, position: usize) -> Result<Column<'_, TimestampNanosecondArray>> {
        self.typed(position)
    }

    pub fn primitives<T: ArrowPrimitiveType>(&self, position: usize) -> Result<Column<'_, PrimitiveArray<T>>> {
        self.typed(position)
    }

    /// A string for each row, or NULL.
    pub fn to_strings(&self, mut f: impl FnMut(usize, &mut String) -> Option<()>) -> Result<ArrayRef> {
        let mut builder = StringViewBuilder::with_capacity(self.rows);
        let mut text = String::new();
        for row in 0..self.rows {
            text.clear();
            match f(row, &mut text) {
                Some(()) => builder.append_value(&text),
                None => builder.append_null(),
            }
        }
        Ok(Arc::new(builder.finish()))
    }

    /// A string for each row that lives as long as the arguments, or NULL: slices of them, without a copy on the way.
    pub fn to_slices<'a>(&self, f: impl FnMut(usize) -> Option<&'a str>) -> Result<ArrayRef> {
        Ok(Arc::new((0..self.rows).map(f).collect::<StringViewArray>()))
    }

    pub fn to_booleans(&self, f: impl FnMut(usize) -> Option<bool>) -> Result<ArrayRef> {
        Ok(Arc::new((0..self.rows).map(f).collect::<BooleanArray>()))
    }

    pub fn to_ints(&self, f: impl FnMut(usize) -> Option<i32>) -> Result<ArrayRef> {
        self.to_primitives::<Int32Type>(f)
    }

    pub fn to_longs(&self, f: impl FnMut(usize) -> Option<i64>) -> Result<ArrayRef> {
        self.to_primitives::<Int64Type>(f)
    }

    pub fn to_doubles(&self, f: impl FnMut(usize) -> Option<f64>) -> Result<ArrayRef> {
        self.to_primitives::<Float64Type>(f)
    }

    pub fn to_dates(&self, f: impl FnMut(usize) -> Option<i32>) -> Result<ArrayRef> {
        self.to_primitives::<Date32Type>(f)
    }

    pub fn to_timestamps(&self, f: impl FnMut(usize) -> Option<i64>) -> Result<ArrayRef> {
        self.to_primitives::<TimestampNanosecondType>(f)
    }

    fn to_primitives<T: ArrowPrimitiveType>(&self, f: impl FnMut(usize) -> Option<T::Native>) -> Result<ArrayRef> {
        Ok(Arc::new((0..self.rows).map(f).collect::<PrimitiveArray<T>>()))
    }
}

/// One argument: a value for each row, or one for all.
pub(super) struct Column<'a, A> {
    pub array: &'a A,
    constant: bool,
}

impl<A: Array> Column<'_, A> {
    fn index(&self, row: usize) -> Option<usize> {
        let row = if self.constant { 0 } else { row };
        (!self.array.is_null(row)).then_some(row)
    }
}

impl<'a> Column<'a, StringViewArray> {
    pub fn get(&self, row: usize) -> Option<&'a str> {
        self.index(row).map(|row| self.array.value(row))
    }
}

impl<'a> Column<'a, BinaryArray> {
    pub fn get(&self, row: usize) -> Option<&'a [u8]> {
        self.index(row).map(|row| self.array.value(row))
    }
}

impl Column<'_, BooleanArray> {
    pub fn get(&self, row: usize) -> Option<bool> {
        self.index(row).map(|row| self.array.value(row))
    }
}

impl<T: ArrowPrimitiveType> Column<'_, PrimitiveArray<T>> {
    pub fn get(&self, row: usize) -> Option<T::Native> {
        self.index(row).map(|row| self.array.value(row))
    }
}

/// The elements of a list column as one array, with the range of each row.
pub(super) fn list_range(array: &ArrayRef, row: usize) -> Option<(ArrayRef, std::ops::Range<usize>)> {
    let list = array.as_list_opt::<i32>()?;
    if list.is_null(row) {
        return None;
    }
    let offsets = list.value_offsets();
    Some((Arc::clone(list.values()), offsets[row] as usize..offsets[row + 1] as usize))
}
