//! `percentile` (exact, of whole numbers) and `percentile_approx` (of a histogram).
//!
//! The second argument is one part of 1 or an array of them, and so is the result. Source: Hive `UDAFPercentile`,
//! `GenericUDAFPercentileApprox` (10000 bins unless told).

use std::collections::BTreeMap;
use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int32Type, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use super::super::builtin::{check_count, type_name};
use super::super::cast::cast_array;
use super::super::common_type::{is_numeric, is_string};
use super::histogram::Histogram;

const BINS_DEFAULT: i32 = 10_000;

pub(super) fn exact() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(Percentile::new("percentile", Method::Exact)))
}

pub(super) fn approximate() -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(Percentile::new("percentile_approx", Method::Approximate)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Method {
    Exact,
    Approximate,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Percentile {
    name: &'static str,
    method: Method,
    signature: Signature,
}

impl Percentile {
    fn new(name: &'static str, method: Method) -> Self {
        Percentile { name, method, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

fn doubles() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)))
}

fn is_list(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(_))
}

impl AggregateUDFImpl for Percentile {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let max = if self.method == Method::Exact { 2 } else { 3 };
        check_count(self.name, given, 2, max)?;
        let fits = match self.method {
            Method::Exact => given[0].is_integer(),
            Method::Approximate => is_numeric(&given[0]) || is_string(&given[0]),
        };
        if !fits && !given[0].is_null() {
            let takes = if self.method == Method::Exact { "whole numbers" } else { "numbers" };
            return plan_err!("{} takes {takes}, found {}", self.name, type_name(&given[0]));
        }
        Ok(given.to_vec())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        check_count(self.name, given, 2, 3)?;
        Ok(if is_list(&given[1]) { doubles() } else { DataType::Float64 })
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let as_list = is_list(args.return_field.data_type());
        let values = match self.method {
            Method::Exact => Values::Exact(BTreeMap::new()),
            Method::Approximate => Values::Approximate(Histogram::new(0)),
        };
        Ok(Box::new(State { name: self.name, as_list, parts: Vec::new(), values }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |part: &str, data_type| Arc::new(Field::new(format!("{}[{part}]", args.name), data_type, true));
        let keys = DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)));
        Ok(match self.method {
            Method::Exact => {
                vec![field("parts", doubles()), field("values", keys.clone()), field("counts", keys)]
            }
            Method::Approximate => vec![field("parts", doubles()), field("histogram", doubles())],
        })
    }
}

#[derive(Debug)]
enum Values {
    Exact(BTreeMap<i64, i64>),
    Approximate(Histogram),
}

#[derive(Debug)]
struct State {
    name: &'static str,
    as_list: bool,
    /// The parts of 1 that are asked for; known from the first batch.
    parts: Vec<f64>,
    values: Values,
}

impl State {
    fn read_parts(&mut self, array: &ArrayRef) -> Result<()> {
        if !self.parts.is_empty() || array.is_empty() {
            return Ok(());
        }
        let first = if is_list(array.data_type()) { array.as_list::<i32>().value(0) } else { array.slice(0, 1) };
        let parts = cast_array(&first, &DataType::Float64)?;
        self.parts = parts.as_primitive::<Float64Type>().iter().flatten().collect();
        // The approximate one excludes both ends.
        let exact = matches!(self.values, Values::Exact(_));
        if let Some(bad) =
            self.parts.iter().find(|p| !(0.0..=1.0).contains(*p) || (!exact && (**p == 0.0 || **p == 1.0)))
        {
            return exec_err!("{} takes parts between 0 and 1, found {bad}", self.name);
        }
        Ok(())
    }

    fn results(&mut self) -> Option<Vec<f64>> {
        match &mut self.values {
            Values::Exact(counts) if counts.is_empty() => None,
            Values::Exact(counts) => Some(self.parts.iter().map(|p| exact_percentile(counts, *p)).collect()),
            Values::Approximate(histogram) if histogram.is_empty() => None,
            Values::Approximate(histogram) => self.parts.iter().map(|p| histogram.quantile(*p)).collect(),
        }
    }
}

/// Between the two nearest values, weighted by nearness.
fn exact_percentile(counts: &BTreeMap<i64, i64>, part: f64) -> f64 {
    let total: i64 = counts.values().sum();
    let position = (total - 1) as f64 * part;
    let (lower, higher) = (position.floor(), position.ceil());
    let value_at = |at: f64| {
        let mut below = 0;
        let found = counts.iter().find(|(_, count)| {
            below += **count;
            below as f64 > at
        });
        found.map_or(0, |(value, _)| *value)
    };
    let (low, high) = (value_at(lower), value_at(higher));
    if lower == higher || low == high {
        return low as f64;
    }
    (higher - position) * low as f64 + (position - lower) * high as f64
}

impl Accumulator for State {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.read_parts(&values[1])?;
        match &mut self.values {
            Values::Exact(counts) => {
                let longs = cast_array(&values[0], &DataType::Int64)?;
                for value in longs.as_primitive::<Int64Type>().iter().flatten() {
                    *counts.entry(value).or_default() += 1;
                }
            }
            Values::Approximate(histogram) => {
                if histogram.is_empty() {
                    let bins = match values.get(2) {
                        Some(bins) if !bins.is_empty() => {
                            cast_array(&bins.slice(0, 1), &DataType::Int32)?.as_primitive::<Int32Type>().value(0)
                        }
                        _ => BINS_DEFAULT,
                    };
                    if bins < 2 {
                        return exec_err!("{} takes at least 2 bins, found {bins}", self.name);
                    }
                    *histogram = Histogram::new(bins as usize);
                }
                let doubles = cast_array(&values[0], &DataType::Float64)?;
                for value in doubles.as_primitive::<Float64Type>().iter().flatten() {
                    histogram.add(value);
                }
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for row in 0..states[0].len() {
            let parts = states[0].as_list::<i32>().value(row);
            let parts: Vec<f64> = parts.as_primitive::<Float64Type>().iter().flatten().collect();
            if !parts.is_empty() {
                self.parts = parts;
            }
            let list = states[1].as_list::<i32>().value(row);
            match &mut self.values {
                Values::Exact(counts) => {
                    let other = states[2].as_list::<i32>().value(row);
                    let (keys, n) = (list.as_primitive::<Int64Type>(), other.as_primitive::<Int64Type>());
                    for (key, n) in keys.values().iter().zip(n.values()) {
                        *counts.entry(*key).or_default() += n;
                    }
                }
                Values::Approximate(histogram) => {
                    let list = list.as_primitive::<Float64Type>();
                    if list.len() > 1 {
                        histogram.merge(list.values());
                    }
                }
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let longs = |values: &mut dyn Iterator<Item = i64>| {
            let values: Vec<ScalarValue> = values.map(ScalarValue::from).collect();
            ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Int64))
        };
        let parts = double_list(&self.parts);
        Ok(match &mut self.values {
            Values::Exact(counts) => {
                vec![parts, longs(&mut counts.keys().copied()), longs(&mut counts.values().copied())]
            }
            Values::Approximate(histogram) => vec![parts, double_list(&histogram.serialize())],
        })
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let results = self.results();
        if self.as_list {
            return match results {
                Some(results) => Ok(double_list(&results)),
                None => ScalarValue::try_from(&doubles()),
            };
        }
        Ok(ScalarValue::Float64(results.and_then(|r| r.first().copied())))
    }

    fn size(&self) -> usize {
        let values = match &self.values {
            // A guess at what a tree node costs for each entry.
            Values::Exact(counts) => counts.len() * 3 * size_of::<i64>(),
            Values::Approximate(histogram) => histogram.size(),
        };
        size_of::<Self>() + values + self.parts.capacity() * size_of::<f64>()
    }
}

fn double_list(values: &[f64]) -> ScalarValue {
    let values: Vec<ScalarValue> = values.iter().copied().map(ScalarValue::from).collect();
    ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Float64))
}
