//! `collect_list` and `collect_set`: the values of a group without its NULLs, in the order they came; no values give an
//! empty array.
//!
//! Source: Hive `GenericUDAFMkCollectionEvaluator` (the set keeps the order of first occurrence).

use std::collections::HashSet;
use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use super::super::builtin::check_count;
use super::super::cast::cast_array;
use super::super::common_type::normal;

pub(super) fn list() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(Collect::new("collect_list", Keep::All)))
}

pub(super) fn set() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(Collect::new("collect_set", Keep::Distinct)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Keep {
    All,
    Distinct,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Collect {
    name: &'static str,
    keep: Keep,
    signature: Signature,
}

impl Collect {
    fn new(name: &'static str, keep: Keep) -> Self {
        Collect { name, keep, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

fn item_type(data_type: &DataType) -> DataType {
    if data_type.is_null() { DataType::Utf8View } else { normal(data_type) }
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

impl AggregateUDFImpl for Collect {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        check_count(self.name, given, 1, 1)?;
        Ok(given.to_vec())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        check_count(self.name, given, 1, 1)?;
        Ok(list_of(item_type(&given[0])))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let keep = if args.is_distinct { Keep::Distinct } else { self.keep };
        let item = item_type(args.expr_fields[0].data_type());
        Ok(Box::new(Collected { keep, item, values: Vec::new(), seen: HashSet::new(), bytes: 0 }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let list = list_of(item_type(args.input_fields[0].data_type()));
        Ok(vec![Arc::new(Field::new(format!("{}[values]", args.name), list, true))])
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        match data_type {
            DataType::List(item) => Ok(ScalarValue::List(ScalarValue::new_list_nullable(&[], item.data_type()))),
            other => ScalarValue::try_from(other),
        }
    }
}

#[derive(Debug)]
struct Collected {
    keep: Keep,
    item: DataType,
    values: Vec<ScalarValue>,
    seen: HashSet<ScalarValue>,
    bytes: usize,
}

impl Collected {
    fn add(&mut self, array: &ArrayRef) -> Result<()> {
        let array = cast_array(array, &self.item)?;
        for row in 0..array.len() {
            if array.is_null(row) {
                continue;
            }
            let mut value = ScalarValue::try_from_array(&array, row)?;
            value.compact();
            if self.keep == Keep::Distinct && !self.seen.insert(value.clone()) {
                continue;
            }
            self.bytes += value.size();
            self.values.push(value);
        }
        Ok(())
    }
}

impl Accumulator for Collected {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(&values[0])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states[0].as_list::<i32>();
        for row in 0..lists.len() {
            if !lists.is_null(row) {
                self.add(&lists.value(row))?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::List(ScalarValue::new_list_nullable(&self.values, &self.item)))
    }

    fn size(&self) -> usize {
        let copies = if self.keep == Keep::Distinct { 2 } else { 1 };
        size_of::<Self>() + self.bytes * copies
    }
}
