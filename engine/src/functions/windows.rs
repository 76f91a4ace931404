//! Functions that stand before OVER. DataFusion's mean what Hive's mean; ranks come as Hive's int.
//!
//! Source: Hive `GenericUDAFRowNumber`, `GenericUDAFRank`, `GenericUDAFDenseRank`, `GenericUDAFNTile`, and the rest of
//! `FunctionRegistry.registerWindowFunction`.

use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::{SortOptions, cast};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_window as theirs;
use datafusion::logical_expr::function::{ExpressionArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::window_state::WindowAggState;
use datafusion::logical_expr::{PartitionEvaluator, ReversedUDWF, Signature, WindowUDF, WindowUDFImpl};
use datafusion::physical_plan::PhysicalExpr;

pub(super) fn windows() -> Vec<Arc<WindowUDF>> {
    let int = |inner| Arc::new(WindowUDF::new_from_impl(AsInt { inner }));
    vec![
        int(theirs::row_number::row_number_udwf()),
        int(theirs::rank::rank_udwf()),
        int(theirs::rank::dense_rank_udwf()),
        int(theirs::ntile::ntile_udwf()),
        theirs::rank::percent_rank_udwf(),
        theirs::cume_dist::cume_dist_udwf(),
        theirs::lead_lag::lag_udwf(),
        theirs::lead_lag::lead_udwf(),
        theirs::nth_value::first_value_udwf(),
        theirs::nth_value::last_value_udwf(),
    ]
}

/// A window function whose result becomes an int.
#[derive(Debug)]
struct AsInt {
    inner: Arc<WindowUDF>,
}

impl PartialEq for AsInt {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for AsInt {}

impl Hash for AsInt {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl WindowUDFImpl for AsInt {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn expressions(&self, args: ExpressionArgs) -> Vec<Arc<dyn PhysicalExpr>> {
        self.inner.expressions(args)
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(IntEvaluator(self.inner.partition_evaluator_factory(args)?)))
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        let field = self.inner.field(args)?;
        Ok(Arc::new(Field::new(field.name(), DataType::Int32, field.is_nullable())))
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(given)
    }

    fn sort_options(&self) -> Option<SortOptions> {
        self.inner.sort_options()
    }

    fn reverse_expr(&self) -> ReversedUDWF {
        ReversedUDWF::NotSupported
    }
}

#[derive(Debug)]
struct IntEvaluator(Box<dyn PartitionEvaluator>);

impl PartitionEvaluator for IntEvaluator {
    fn memoize(&mut self, state: &mut WindowAggState) -> Result<()> {
        self.0.memoize(state)
    }

    fn get_range(&self, idx: usize, n_rows: usize) -> Result<Range<usize>> {
        self.0.get_range(idx, n_rows)
    }

    fn is_causal(&self) -> bool {
        self.0.is_causal()
    }

    fn evaluate_all(&mut self, values: &[ArrayRef], num_rows: usize) -> Result<ArrayRef> {
        Ok(cast(&self.0.evaluate_all(values, num_rows)?, &DataType::Int32)?)
    }

    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        self.0.evaluate(values, range)?.cast_to(&DataType::Int32)
    }

    fn evaluate_all_with_rank(&self, num_rows: usize, ranks: &[Range<usize>]) -> Result<ArrayRef> {
        Ok(cast(&self.0.evaluate_all_with_rank(num_rows, ranks)?, &DataType::Int32)?)
    }

    fn supports_bounded_execution(&self) -> bool {
        self.0.supports_bounded_execution()
    }

    fn uses_window_frame(&self) -> bool {
        self.0.uses_window_frame()
    }

    fn include_rank(&self) -> bool {
        self.0.include_rank()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::query;

    #[test]
    fn ranks() {
        let rows = query(
            "SELECT a, row_number() OVER (ORDER BY a), rank() OVER (ORDER BY a), dense_rank() OVER (ORDER BY a), \
             ntile(2) OVER (ORDER BY a), lag(a) OVER (ORDER BY a), first_value(a) OVER (ORDER BY a) \
             FROM (VALUES (1), (1), (2)) t(a) ORDER BY 2",
        )
        .unwrap();
        let lines: Vec<String> = rows
            .iter()
            .map(|row| row.iter().map(|v| v.clone().unwrap_or("NULL".to_owned())).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(lines, ["1 1 1 1 1 NULL 1", "1 2 1 1 1 1 1", "2 3 3 2 2 1 1"]);
    }
}
