//! `sum` and `avg` of decimals.
//!
//! Sums are exact, so that they do not depend on the order of rows; what the result's type does not hold is NULL, where
//! DataFusion wraps or fails, and an average is rounded half up where DataFusion cuts.
//!
//! Source: Hive `GenericUDAFSum.GenericUDAFSumHiveDecimal`, `GenericUDAFAverage.GenericUDAFAverageEvaluatorDecimal`. A sum that leaves
//! 38 digits and comes back into them is NULL in Hive and a number here.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Decimal128Array};
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Field, FieldRef, Int64Type, i256};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::Accumulator;
use datafusion::logical_expr::utils::format_state_name;

use super::super::arithmetic::divide_half_up;
use super::super::java_number::max_of_precision;

/// Digits of the sums that are handed on: all that 256 bits hold.
const STATE_PRECISION: u8 = 76;
const PRECISION_MAX: u8 = 38;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Total {
    Sum,
    Average,
}

impl Total {
    /// Precision and scale of the result.
    pub fn result(self, precision: u8, scale: i8) -> (u8, i8) {
        match self {
            Total::Sum => (PRECISION_MAX.min(precision + 10), scale),
            Total::Average => {
                let n_whole = precision as i8 - scale;
                let scale = (scale + 4).min(PRECISION_MAX as i8 - n_whole);
                ((n_whole + scale) as u8, scale)
            }
        }
    }

    /// What one task hands to the next: a sum and a count, or the values that were seen.
    pub fn state_fields(self, name: &str, scale: i8, is_distinct: bool) -> Vec<FieldRef> {
        let field = |part: &str, data_type| Arc::new(Field::new(format_state_name(name, part), data_type, true));
        match is_distinct {
            true => vec![field("values", DataType::List(Arc::new(value_field(scale))))],
            false => vec![field("sum", DataType::Decimal256(STATE_PRECISION, scale)), field("n", DataType::Int64)],
        }
    }

    pub fn accumulator(self, precision: u8, scale: i8, is_distinct: bool) -> Box<dyn Accumulator> {
        let result = self.result(precision, scale);
        match is_distinct {
            true => Box::new(Distinct { total: self, scale, result, seen: BTreeSet::new() }),
            false => Box::new(Running { total: self, scale, result, sum: i256::ZERO, n_values: 0 }),
        }
    }

    /// The total of `n_values` values of this scale whose sum is `sum`.
    fn of(self, sum: i256, n_values: i64, scale: i8, (result_precision, result_scale): (u8, i8)) -> ScalarValue {
        let value = match self {
            _ if n_values == 0 => None,
            Total::Sum => Some(sum),
            Total::Average => i256::from_i128(10)
                .checked_pow(u32::from((result_scale - scale).unsigned_abs()))
                .and_then(|unit| divide_half_up(sum.checked_mul(unit)?, i256::from_i128(n_values.into()))),
        };
        let max = max_of_precision(result_precision);
        let value = value.and_then(|value| value.to_i128()).filter(|value| (-max..=max).contains(value));
        ScalarValue::Decimal128(value, result_precision, result_scale)
    }
}

fn value_field(scale: i8) -> Field {
    Field::new_list_field(DataType::Decimal128(PRECISION_MAX, scale), true)
}

fn decimals(values: &[ArrayRef]) -> Result<&Decimal128Array> {
    match values.first().and_then(|array| array.as_primitive_opt::<Decimal128Type>()) {
        Some(decimals) => Ok(decimals),
        None => internal_err!("a total of decimals over something else"),
    }
}

#[derive(Debug)]
struct Running {
    total: Total,
    scale: i8,
    result: (u8, i8),
    sum: i256,
    n_values: i64,
}

impl Accumulator for Running {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in decimals(values)?.iter().flatten() {
            self.sum = self.sum.wrapping_add(i256::from_i128(value));
            self.n_values += 1;
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in decimals(values)?.iter().flatten() {
            self.sum = self.sum.wrapping_sub(i256::from_i128(value));
            self.n_values -= 1;
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.total.of(self.sum, self.n_values, self.scale, self.result))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let sum = ScalarValue::Decimal256(Some(self.sum), STATE_PRECISION, self.scale);
        Ok(vec![sum, ScalarValue::Int64(Some(self.n_values))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [sums, counts] = states else { return internal_err!("a state of sum and count has two parts") };
        for sum in sums.as_primitive::<Decimal256Type>().iter().flatten() {
            self.sum = self.sum.wrapping_add(sum);
        }
        self.n_values += counts.as_primitive::<Int64Type>().iter().flatten().sum::<i64>();
        Ok(())
    }
}

#[derive(Debug)]
struct Distinct {
    total: Total,
    scale: i8,
    result: (u8, i8),
    seen: BTreeSet<i128>,
}

impl Accumulator for Distinct {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.seen.extend(decimals(values)?.iter().flatten());
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sum = self.seen.iter().fold(i256::ZERO, |sum, value| sum.wrapping_add(i256::from_i128(*value)));
        Ok(self.total.of(sum, self.seen.len() as i64, self.scale, self.result))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.seen.len() * size_of::<i128>() * 2
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = self.seen.iter().map(|value| ScalarValue::Decimal128(Some(*value), PRECISION_MAX, self.scale));
        let values = ScalarValue::new_list_nullable(&values.collect::<Vec<_>>(), value_field(self.scale).data_type());
        Ok(vec![ScalarValue::List(values)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for values in states.iter().flat_map(|lists| lists.as_list::<i32>().iter().flatten()) {
            self.update_batch(&[values])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_results() {
        for (total, given, expect) in [
            (Total::Sum, (4, 2), (14, 2)),
            (Total::Sum, (38, 10), (38, 10)),
            (Total::Average, (4, 2), (8, 6)),
            (Total::Average, (38, 36), (38, 36)),
            (Total::Average, (38, 0), (38, 0)),
            (Total::Average, (36, 35), (38, 37)),
        ] {
            assert_eq!(total.result(given.0, given.1), expect, "{total:?} {given:?}");
        }
    }

    #[test]
    fn sums_that_come_back_are_sums() {
        let mut sum = Total::Sum.accumulator(38, 0, false);
        let max = max_of_precision(38);
        let array = |values: Vec<i128>| -> ArrayRef {
            Arc::new(Decimal128Array::from(values).with_precision_and_scale(38, 0).unwrap())
        };
        sum.update_batch(&[array(vec![max, 1])]).unwrap();
        assert_eq!(sum.evaluate().unwrap(), ScalarValue::Decimal128(None, 38, 0));
        let state: Vec<ArrayRef> = sum.state().unwrap().iter().map(|part| part.to_array().unwrap()).collect();
        let mut merged = Total::Sum.accumulator(38, 0, false);
        merged.merge_batch(&state).unwrap();
        merged.update_batch(&[array(vec![-2])]).unwrap();
        assert_eq!(merged.evaluate().unwrap(), ScalarValue::Decimal128(Some(max - 1), 38, 0));
        merged.retract_batch(&[array(vec![max, 1, -2])]).unwrap();
        assert_eq!(merged.evaluate().unwrap(), ScalarValue::Decimal128(None, 38, 0));
    }
}
