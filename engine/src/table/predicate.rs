//! What a scan takes over from WHERE: conjuncts that the SerDe tries before it builds a row's other columns.
//!
//! Taken is what gives the same answer for a row wherever it is asked: not functions like `rand()`, and not filters
//! that another operator makes while the query runs. Conjuncts are tried in the order of the query, each on the rows
//! that passed those before it, so one that can fail does so only on rows that come as far as it.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray};
use arrow::record_batch::RecordBatch;
use arrow_schema::{DataType, Schema};
use datafusion::common::Result as DfResult;
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};
use datafusion::physical_expr::{DynamicFilterTracking, PhysicalExpr, conjunction};
use datafusion::physical_expr_common::physical_expr::is_volatile;

use crate::error::{Error, Result};
use crate::serdes::RowFilter;

/// The conjuncts that one scan tries.
#[derive(Debug, Clone, Default)]
pub(super) struct Predicate {
    /// Over the table's columns, in the order of the query.
    conjuncts: Vec<Arc<dyn PhysicalExpr>>,
    filters: Vec<Arc<dyn RowFilter>>,
}

/// Conjuncts in a row that look at the same columns.
#[derive(Debug)]
struct ConjunctFilter {
    columns: Vec<usize>,
    /// Over these columns in this order.
    expr: Arc<dyn PhysicalExpr>,
}

impl Predicate {
    /// Whether a scan of files with these columns can try `conjunct`, which is over the table's columns.
    pub(super) fn takes(conjunct: &Arc<dyn PhysicalExpr>, table: &Schema, file: &Schema) -> bool {
        let columns = collect_columns(conjunct);
        let is_boolean = conjunct.data_type(table).is_ok_and(|data_type| data_type == DataType::Boolean);
        let in_files = columns.iter().all(|column| column.index() < file.fields().len());
        let is_fixed = !is_volatile(conjunct) && !DynamicFilterTracking::classify(conjunct).contains_dynamic_filter();
        is_boolean && in_files && !columns.is_empty() && is_fixed
    }

    /// The same and `more`, tried last.
    pub(super) fn and(&self, more: Vec<Arc<dyn PhysicalExpr>>, file: &Schema) -> DfResult<Self> {
        let conjuncts: Vec<_> = self.conjuncts.iter().cloned().chain(more).collect();
        let mut filters: Vec<Arc<dyn RowFilter>> = Vec::new();
        for group in conjuncts.chunk_by(|one, next| columns_of(one) == columns_of(next)) {
            let columns = group.first().map(columns_of).unwrap_or_default();
            let expr = reassign_expr_columns(conjunction(group.iter().cloned()), &file.project(&columns)?)?;
            filters.push(Arc::new(ConjunctFilter { columns, expr }));
        }
        Ok(Predicate { conjuncts, filters })
    }

    pub(super) fn filters(&self) -> &[Arc<dyn RowFilter>] {
        &self.filters
    }

    pub(super) fn conjuncts(&self) -> &[Arc<dyn PhysicalExpr>] {
        &self.conjuncts
    }

    /// All of it over the table's columns; `None` if it keeps every row.
    pub(super) fn expr(&self) -> Option<Arc<dyn PhysicalExpr>> {
        (!self.conjuncts.is_empty()).then(|| conjunction(self.conjuncts.iter().cloned()))
    }
}

/// The table columns of an expression, ascending.
fn columns_of(expr: &Arc<dyn PhysicalExpr>) -> Vec<usize> {
    let mut columns: Vec<usize> = collect_columns(expr).iter().map(|column| column.index()).collect();
    columns.sort_unstable();
    columns
}

impl RowFilter for ConjunctFilter {
    fn columns(&self) -> &[usize] {
        &self.columns
    }

    fn keep(&self, rows: &RecordBatch) -> Result<BooleanArray> {
        let kept = self.expr.evaluate(rows).and_then(|kept| kept.into_array(rows.num_rows()));
        let kept = kept.map_err(Error::from_datafusion)?;
        kept.as_boolean_opt().cloned().ok_or_else(|| Error::internal("a predicate is not boolean"))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int32Array};
    use arrow_schema::Field;
    use datafusion::logical_expr::{ColumnarValue, Operator, ScalarUDF, Volatility, create_udf};
    use datafusion::physical_expr::ScalarFunctionExpr;
    use datafusion::physical_expr::expressions::{DynamicFilterPhysicalExpr, binary, col, is_null, lit};

    use super::*;

    fn table() -> Schema {
        Schema::new(vec![
            Field::new("a", DataType::Int32, true),
            Field::new("word", DataType::Utf8View, true),
            Field::new("b", DataType::Int32, true),
        ])
    }

    fn compare(left: &str, operator: Operator, right: Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
        binary(col(left, &table()).unwrap(), operator, right, &table()).unwrap()
    }

    fn chance(volatility: Volatility) -> Arc<dyn PhysicalExpr> {
        let udf: ScalarUDF = create_udf(
            "chance",
            vec![DataType::Int32],
            DataType::Boolean,
            volatility,
            Arc::new(|_: &[ColumnarValue]| Ok(ColumnarValue::from(datafusion::common::ScalarValue::from(true)))),
        );
        let arguments = vec![col("a", &table()).unwrap()];
        let field = Arc::new(Field::new("chance", DataType::Boolean, true));
        Arc::new(ScalarFunctionExpr::new("chance", Arc::new(udf), arguments, field, Arc::default()))
    }

    #[test]
    fn takes_what_has_one_answer_for_a_row() {
        let takes = |conjunct: Arc<dyn PhysicalExpr>| Predicate::takes(&conjunct, &table(), &table());
        assert!(takes(compare("a", Operator::Gt, lit(1))));
        assert!(takes(is_null(col("word", &table()).unwrap()).unwrap()));
        assert!(takes(chance(Volatility::Immutable)));
        assert!(!takes(chance(Volatility::Volatile)));
        assert!(!takes(lit(true)));
        assert!(!takes(col("a", &table()).unwrap()), "not boolean");
        let dynamic = DynamicFilterPhysicalExpr::new(vec![col("a", &table()).unwrap()], lit(true));
        assert!(!takes(Arc::new(dynamic)));
        // Columns after those of the file are partition columns.
        let file = table().project(&[0, 1]).unwrap();
        assert!(!Predicate::takes(&compare("b", Operator::Eq, lit(1)), &table(), &file));
    }

    #[test]
    fn conjuncts_over_the_same_columns_are_one_filter() {
        let predicate = Predicate::default()
            .and(vec![compare("b", Operator::Gt, lit(1)), compare("b", Operator::Lt, lit(9))], &table())
            .and_then(|it| it.and(vec![compare("b", Operator::Gt, col("a", &table()).unwrap())], &table()))
            .and_then(|it| it.and(vec![compare("b", Operator::NotEq, lit(5))], &table()))
            .unwrap();
        let columns: Vec<_> = predicate.filters().iter().map(|filter| filter.columns()).collect();
        assert_eq!(columns, [&[2][..], &[0, 2], &[2]]);
        let b: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), Some(2), None, Some(9)]));
        let a: ArrayRef = Arc::new(Int32Array::from(vec![Some(0), None, Some(0), Some(9)]));
        let rows = |names: [(&str, &ArrayRef); 2]| {
            RecordBatch::try_from_iter(names.map(|(name, array)| (name, Arc::clone(array)))).unwrap()
        };
        let both = rows([("a", &a), ("b", &b)]);
        let kept = |filter_idx: usize, rows: &RecordBatch| {
            let filter = &predicate.filters()[filter_idx];
            filter.keep(rows).unwrap().iter().collect::<Vec<_>>()
        };
        assert_eq!(kept(0, &both.project(&[1]).unwrap()), [Some(false), Some(true), None, Some(false)]);
        assert_eq!(kept(1, &both), [Some(true), None, None, Some(false)]);
    }
}
