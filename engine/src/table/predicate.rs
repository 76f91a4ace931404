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
