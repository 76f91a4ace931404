//! Aggregates that follow from exact sums of doubles and of their products: the same bytes in any order of rows.
//!
//! Rows with a NULL argument do not count. Source of what one row or none gives: Hive 3.1 `GenericUDAFSum`,
//! `GenericUDAFAverage`, `GenericUDAFVariance`, `GenericUDAFVarianceSample`, `GenericUDAFCovariance`,
//! `GenericUDAFCovarianceSample`, `GenericUDAFCorrelation`.

use std::collections::HashSet;
use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Float64Builder, Int64Array, ListBuilder};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

use super::exact_sum::ExactSum;

/// Which number is made of the sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Moment {
    Sum,
    Average,
    Variance(Divisor),
    Deviation(Divisor),
    Covariance(Divisor),
    Correlation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Divisor {
    Population,
    /// One less; NULL for a single row.
    Sample,
}

pub(super) fn moment(name: &'static str, moment: Moment) -> Arc<AggregateUDF> {
    let signature = Signature::uniform(moment.n_arguments(), vec![DataType::Float64], Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(MomentAggregate { name, moment, signature }))
}

impl Moment {
    fn n_arguments(self) -> usize {
        if matches!(self, Moment::Covariance(_) | Moment::Correlation) { 2 } else { 1 }
    }

    /// Of x; xx; x, y, xy; x, y, xy, xx, yy.
    fn n_sums(self) -> usize {
        match self {
            Moment::Sum | Moment::Average => 1,
            Moment::Variance(_) | Moment::Deviation(_) => 2,
            Moment::Covariance(_) => 3,
            Moment::Correlation => 5,
        }
    }

    /// `sign` is 1.0, or -1.0 to take a row out again.
    fn add(self, sums: &mut [ExactSum], x: f64, y: f64, sign: f64) {
        match sums {
            [sum] => sum.add(sign * x),
            [sum, squares] => {
                sum.add(sign * x);
                squares.add_product(sign * x, x);
            }
            [x_sum, y_sum, products, squares @ ..] => {
                x_sum.add(sign * x);
                y_sum.add(sign * y);
                products.add_product(sign * x, y);
                if let [x_squares, y_squares] = squares {
                    x_squares.add_product(sign * x, x);
                    y_squares.add_product(sign * y, y);
                }
            }
            [] => {}
        }
    }

    fn result(self, n: i64, sums: &[ExactSum]) -> Option<f64> {
        let divided = |spread: f64, divisor| match divisor {
            Divisor::Population => Some(spread / n as f64 / n as f64),
            Divisor::Sample if n > 1 => Some(spread / n as f64 / (n - 1) as f64),
            Divisor::Sample => None,
        };
        if n <= 0 {
            return None;
        }
        let rows = n as u64;
        match (self, sums) {
            (Moment::Sum, [sum]) => Some(sum.value()),
            (Moment::Average, [sum]) => Some(sum.value() / n as f64),
            (Moment::Variance(divisor), [x, xx]) => divided(xx.spread(rows, x, x), divisor),
            (Moment::Deviation(divisor), [x, xx]) => divided(xx.spread(rows, x, x), divisor).map(f64::sqrt),
            (Moment::Covariance(divisor), [x, y, xy]) => divided(xy.spread(rows, x, y), divisor),
            (Moment::Correlation, [x, y, xy, xx, yy]) => {
                let (x_spread, y_spread) = (xx.spread(rows, x, x), yy.spread(rows, y, y));
                let flat = x_spread == 0.0 || y_spread == 0.0;
                (!flat).then(|| xy.spread(rows, x, y) / y_spread.sqrt() / x_spread.sqrt())
            }
            _ => None,
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct MomentAggregate {
    name: &'static str,
    moment: Moment,
    signature: Signature,
}

impl AggregateUDFImpl for MomentAggregate {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let rows = OneGroup(Groups::new(self.moment, 1));
        Ok(if args.is_distinct { Box::new(DistinctRows { seen: HashSet::new(), rows }) } else { Box::new(rows) })
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        self.accumulator(args)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    /// With DISTINCT the arguments of all rows; else the number of rows, then for each sum its first two terms and a list of the others, NULL if there are none.
    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |part: String, data_type| Arc::new(Field::new(format!("{}[{part}]", args.name), data_type, true));
        let rest = DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)));
        if args.is_distinct {
            return Ok(vec![field("x".to_owned(), rest.clone()), field("y".to_owned(), rest)]);
        }
        let mut fields = vec![field("count".to_owned(), DataType::Int64)];
        for sum_idx in 0..self.moment.n_sums() {
            fields.push(field(format!("high {sum_idx}"), DataType::Float64));
            fields.push(field(format!("low {sum_idx}"), DataType::Float64));
            fields.push(field(format!("rest {sum_idx}"), rest.clone()));
        }
        Ok(fields)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::new(self.moment, 0)))
    }
}

#[derive(Debug)]
struct Groups {
    moment: Moment,
    counts: Vec<i64>,
    /// `n_sums` of each group.
    sums: Vec<ExactSum>,
}

impl Groups {
    fn new(moment: Moment, n_groups: usize) -> Self {
        let mut groups = Groups { moment, counts: Vec::new(), sums: Vec::new() };
        groups.resize(n_groups);
        groups
    }

    fn resize(&mut self, n_groups: usize) {
        self.counts.resize(n_groups, 0);
        self.sums.resize(n_groups * self.moment.n_sums(), ExactSum::default());
    }

    fn of_group(&mut self, group_idx: usize) -> (&mut i64, &mut [ExactSum]) {
        let n_sums = self.moment.n_sums();
        (&mut self.counts[group_idx], &mut self.sums[group_idx * n_sums..(group_idx + 1) * n_sums])
    }

    /// Calls `see` with the number and the arguments of each row that counts.
    fn each_row(values: &[ArrayRef], filter: Option<&BooleanArray>, mut see: impl FnMut(usize, f64, f64)) {
        let x = values[0].as_primitive::<Float64Type>();
        let y = values.get(1).map_or(x, |y| y.as_primitive::<Float64Type>());
        for row_idx in 0..x.len() {
            let counts = x.is_valid(row_idx)
                && y.is_valid(row_idx)
                && filter.is_none_or(|filter| filter.is_valid(row_idx) && filter.value(row_idx));
            if counts {
                see(row_idx, x.value(row_idx), y.value(row_idx));
            }
        }
    }

    fn merge_row(&mut self, group_idx: usize, states: &[ArrayRef], row_idx: usize) {
        let (count, sums) = self.of_group(group_idx);
        *count += states[0].as_primitive::<Int64Type>().value(row_idx);
        for (sum, state) in sums.iter_mut().zip(states[1..].chunks_exact(3)) {
            sum.add_term(state[0].as_primitive::<Float64Type>().value(row_idx));
            sum.add_term(state[1].as_primitive::<Float64Type>().value(row_idx));
            let rest = state[2].as_list::<i32>();
            if rest.is_valid(row_idx) {
                rest.value(row_idx).as_primitive::<Float64Type>().values().iter().for_each(|term| sum.add_term(*term));
            }
        }
    }

    fn take(&mut self, emit_to: EmitTo) -> Groups {
        let n_groups = match emit_to {
            EmitTo::All => self.counts.len(),
            EmitTo::First(n_groups) => n_groups,
        };
        let later_counts = self.counts.split_off(n_groups);
        let later_sums = self.sums.split_off(n_groups * self.moment.n_sums());
        Groups {
            moment: self.moment,
            counts: std::mem::replace(&mut self.counts, later_counts),
            sums: std::mem::replace(&mut self.sums, later_sums),
        }
    }

    fn results(&self) -> Float64Array {
        let sums = self.sums.chunks_exact(self.moment.n_sums());
        self.counts.iter().zip(sums).map(|(n, sums)| self.moment.result(*n, sums)).collect()
    }

    fn states(&self) -> Vec<ArrayRef> {
        let n_sums = self.moment.n_sums();
        let mut states: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(self.counts.clone()))];
        for sum_idx in 0..n_sums {
            let sums = || self.sums.iter().skip(sum_idx).step_by(n_sums);
            let mut rests = ListBuilder::new(Float64Builder::new());
            for sum in sums() {
                match &sum.rest {
                    Some(rest) => rests.append_value(rest.iter().copied().map(Some)),
                    None => rests.append_null(),
                }
            }
            states.push(Arc::new(Float64Array::from_iter_values(sums().map(|sum| sum.high))));
            states.push(Arc::new(Float64Array::from_iter_values(sums().map(|sum| sum.low))));
            states.push(Arc::new(rests.finish()));
        }
        states
    }

    fn bytes(&self) -> usize {
        self.counts.capacity() * size_of::<i64>()
            + self.sums.capacity() * size_of::<ExactSum>()
            + self.sums.iter().map(ExactSum::heap_bytes).sum::<usize>()
    }
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.resize(total_num_groups);
        let moment = self.moment;
        Self::each_row(values, opt_filter, |row_idx, x, y| {
            let (count, sums) = self.of_group(group_indices[row_idx]);
            *count += 1;
            moment.add(sums, x, y, 1.0);
        });
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.resize(total_num_groups);
        for (row_idx, group_idx) in group_indices.iter().enumerate() {
            self.merge_row(*group_idx, values, row_idx);
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(Arc::new(self.take(emit_to).results()))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(self.take(emit_to).states())
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut groups = Groups::new(self.moment, values[0].len());
        Self::each_row(values, opt_filter, |row_idx, x, y| {
            let (count, sums) = groups.of_group(row_idx);
            *count = 1;
            self.moment.add(sums, x, y, 1.0);
        });
        Ok(groups.states())
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.bytes()
    }
}

/// The sums of a whole partition or of a window's frame.
#[derive(Debug)]
struct OneGroup(Groups);

impl Accumulator for OneGroup {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Groups { moment, counts, sums } = &mut self.0;
        Groups::each_row(values, None, |_, x, y| {
            counts[0] += 1;
            moment.add(sums, x, y, 1.0);
        });
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for row_idx in 0..states[0].len() {
            self.0.merge_row(0, states, row_idx);
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.states().iter().map(|state| ScalarValue::try_from_array(state, 0)).collect()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.0.moment.result(self.0.counts[0], &self.0.sums)))
    }

    /// Sums are exact, so what has left a frame leaves nothing behind; but infinity does not leave.
    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Groups { moment, counts, sums } = &mut self.0;
        Groups::each_row(values, None, |_, x, y| {
            counts[0] -= 1;
            moment.add(sums, x, y, -1.0);
        });
        Ok(())
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.0.bytes()
    }
}

/// The same over rows of which no two have the same arguments.
#[derive(Debug)]
struct DistinctRows {
    seen: HashSet<(u64, u64)>,
    rows: OneGroup,
}

impl DistinctRows {
    fn add(&mut self, values: &[ArrayRef]) {
        let DistinctRows { seen, rows: OneGroup(Groups { moment, counts, sums }) } = self;
        Groups::each_row(values, None, |_, x, y| {
            // Zero has one sign here.
            if seen.insert(((x + 0.0).to_bits(), (y + 0.0).to_bits())) {
                counts[0] += 1;
                moment.add(sums, x, y, 1.0);
            }
        });
    }
}

impl Accumulator for DistinctRows {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(values);
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (xs, ys) = (states[0].as_list::<i32>(), states[1].as_list::<i32>());
        for row_idx in 0..xs.len() {
            self.add(&[xs.value(row_idx), ys.value(row_idx)]);
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let list = |bits: &mut dyn Iterator<Item = u64>| {
            let values: Vec<ScalarValue> = bits.map(|bits| ScalarValue::from(f64::from_bits(bits))).collect();
            ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Float64))
        };
        Ok(vec![list(&mut self.seen.iter().map(|(x, _)| *x)), list(&mut self.seen.iter().map(|(_, y)| *y))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.rows.evaluate()
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.rows.size() + self.seen.capacity() * size_of::<(u64, u64)>()
    }
}
