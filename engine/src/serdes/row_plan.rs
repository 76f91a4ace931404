//! What a task makes of each record: the columns that it needs, and the filters tried before the others are built.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{Fields, Schema, SchemaRef};

use super::RowFilter;
use crate::error::{Error, Result};

/// The columns and filters of one task.
#[derive(Debug, Clone)]
pub(super) struct RowPlan {
    /// Table columns that are read, ascending, each once, for the output and for the filters.
    pub columns: Vec<usize>,
    pub fields: Fields,
    /// Tried one after the other, each on the rows that those before it left.
    pub steps: Vec<FilterStep>,
    /// For each output column its place in `columns`.
    pub output: Vec<usize>,
    /// Of the output.
    pub schema: SchemaRef,
}

/// One filter.
#[derive(Debug, Clone)]
pub(super) struct FilterStep {
    pub filter: Arc<dyn RowFilter>,
    /// For each column of the filter its place in `RowPlan::columns`.
    pub places: Vec<usize>,
    pub schema: SchemaRef,
    /// Places of columns that neither the output nor a later filter needs.
    pub last_use_of: Vec<usize>,
}

impl RowPlan {
    /// Of a table's columns those of `projection`, for the rows that all `filters` keep.
    pub(super) fn new(table: &Schema, projection: &[usize], filters: &[Arc<dyn RowFilter>]) -> Result<Self> {
        let filtered = filters.iter().flat_map(|filter| filter.columns());
        let mut columns: Vec<usize> = projection.iter().chain(filtered).copied().collect();
        columns.sort_unstable();
        columns.dedup();
        let output = places(&columns, projection)?;
        let mut needed_later: BTreeSet<usize> = output.iter().copied().collect();
        let mut steps = Vec::with_capacity(filters.len());
        for filter in filters.iter().rev() {
            let places = places(&columns, filter.columns())?;
            let last_use_of = places.iter().copied().filter(|&place| needed_later.insert(place)).collect();
            let schema = project(table, filter.columns())?;
            steps.push(FilterStep { filter: Arc::clone(filter), places, schema, last_use_of });
        }
        steps.reverse();
        Ok(RowPlan {
            fields: project(table, &columns)?.fields().clone(),
            steps,
            output,
            schema: project(table, projection)?,
            columns,
        })
    }

    /// The places of the columns that filters look at, and of the others, ascending; all are others without a filter.
    pub(super) fn filtered_and_rest(&self) -> (Vec<usize>, Vec<usize>) {
        (0..self.columns.len()).partition(|place| self.steps.iter().any(|step| step.places.contains(place)))
    }
}

fn places(columns: &[usize], wanted: &[usize]) -> Result<Vec<usize>> {
    let place =
        |column| columns.binary_search(column).map_err(|_| Error::internal("a column is read that was not asked for"));
    wanted.iter().map(place).collect()
}

fn project(table: &Schema, columns: &[usize]) -> Result<SchemaRef> {
    let projected = table.project(columns);
    Ok(Arc::new(projected.map_err(|e| Error::internal("a projection asks for no column").with_source(e))?))
}
