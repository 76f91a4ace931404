//! Merges the sorted runs of map tasks into a result in order, by several tasks at once.
//!
//! Each task merges a range of keys, as Hadoop's `TotalOrderPartitioner` divides them; the ranges follow from samples of
//! the runs, which are sorted already, so that nothing is read twice. Rows with equal keys are never divided, and come in
//! the order of the map tasks.

use std::fmt;
use std::sync::Arc;

use arrow::row::{OwnedRow, RowConverter, Rows, SortField};
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, Partitioning, PhysicalExpr};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet};
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::sorts::streaming_merge::StreamingMergeBuilder;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use rayon::prelude::*;

use crate::error::Result;
use crate::plan::stages::properties;
use crate::shuffle::{MergeInput, RunPlace, TaskRun};

/// Samples for each range: more make the ranges more even, and cost a key each.
const SAMPLES_A_RANGE: u64 = 64;

/// Merges runs; partition `p` has the rows of range `p`.
#[derive(Clone)]
pub(super) struct RangeMergeExec {
    keys: LexOrdering,
    runs: Arc<[TaskRun]>,
    /// For each run the places where the ranges begin, and its end.
    cuts: Arc<[Vec<RunPlace>]>,
    properties: Arc<PlanProperties>,
}

impl RangeMergeExec {
    /// In the place of `merge`, over the same runs, which have `n_rows` together, in at most `n_ranges` ranges. `None` if
    /// a key is not a column.
    pub fn try_new(
        merge: &SortPreservingMergeExec,
        runs: Vec<TaskRun>,
        n_rows: u64,
        n_ranges: usize,
    ) -> DfResult<Option<Self>> {
        let Some(keys) = RunKeys::try_new(merge)? else { return Ok(None) };
        let step = (n_rows / (n_ranges as u64 * SAMPLES_A_RANGE)).max(1) as usize;
        let samples = runs.par_iter().map(|run| RunSamples::of(run, &keys, step)).collect::<Result<Vec<_>>>()?;
        let bounds = bounds(&samples, n_ranges);
        let cuts = runs.par_iter().zip(&samples).map(|(run, samples)| cuts(run, &keys, samples, &bounds));
        let cuts = cuts.collect::<Result<Vec<_>>>()?;
        let partitioning = Partitioning::UnknownPartitioning(bounds.len() + 1);
        let properties = Arc::new(properties(merge.properties().eq_properties.clone(), partitioning));
        Ok(Some(RangeMergeExec { keys: merge.expr().clone(), runs: runs.into(), cuts: cuts.into(), properties }))
    }
}

/// The keys of runs, comparable byte by byte.
struct RunKeys {
    converter: RowConverter,
    /// The columns of the keys, ascending, and where each key is among them.
    columns: Vec<usize>,
    places: Vec<usize>,
}

impl RunKeys {
    fn try_new(merge: &SortPreservingMergeExec) -> DfResult<Option<Self>> {
        let schema = merge.input().schema();
        let key_columns: Option<Vec<usize>> =
            merge.expr().iter().map(|key| key.expr.downcast_ref::<Column>().map(Column::index)).collect();
        let Some(key_columns) = key_columns else { return Ok(None) };
        let mut columns = key_columns.clone();
        columns.sort_unstable();
        columns.dedup();
        let fields = merge.expr().iter().zip(&key_columns);
        let fields = fields
            .map(|(key, column)| SortField::new_with_options(schema.field(*column).data_type().clone(), key.options));
        let converter = RowConverter::new(fields.collect())?;
        let places = key_columns.iter().map(|column| columns.partition_point(|other| other < column)).collect();
        Ok(Some(RunKeys { converter, columns, places }))
    }

    fn of_batch(&self, run: &TaskRun, batch_idx: usize) -> Result<Rows> {
        let batch = run.columns_of_batch(batch_idx, &self.columns)?;
        let columns: Vec<_> = self.places.iter().map(|place| Arc::clone(batch.column(*place))).collect();
        self.converter.convert_columns(&columns).map_err(|error| crate::error::Error::from_datafusion(error.into()))
    }
}

/// What is known of one run.
struct RunSamples {
    /// The first key of each batch.
    firsts: Vec<OwnedRow>,
    /// Keys at even distances.
    samples: Vec<OwnedRow>,
}

impl RunSamples {
    fn of(run: &TaskRun, keys: &RunKeys, step: usize) -> Result<Self> {
        let mut found = RunSamples { firsts: Vec::new(), samples: Vec::new() };
        let mut skipped = 0;
        for batch_idx in 0..run.n_batches() {
            let rows = keys.of_batch(run, batch_idx)?;
            found.firsts.push(rows.row(0).owned());
            found.samples.extend((skipped..rows.num_rows()).step_by(step).map(|row_idx| rows.row(row_idx).owned()));
            let n_taken = rows.num_rows().saturating_sub(skipped).div_ceil(step);
            skipped = skipped + n_taken * step - rows.num_rows();
            run.release(batch_idx);
        }
        Ok(found)
    }
}

/// The first keys of all ranges but the first, ascending, none twice.
fn bounds(samples: &[RunSamples], n_ranges: usize) -> Vec<OwnedRow> {
    let mut all: Vec<&OwnedRow> = samples.iter().flat_map(|run| &run.samples).collect();
    all.sort_unstable();
    let mut bounds: Vec<OwnedRow> =
        (1..n_ranges).filter_map(|range| all.get(range * all.len() / n_ranges)).map(|row| (*row).clone()).collect();
    bounds.dedup();
    bounds
}

/// Where the ranges begin in a run, and its end.
fn cuts(run: &TaskRun, keys: &RunKeys, samples: &RunSamples, bounds: &[OwnedRow]) -> Result<Vec<RunPlace>> {
    let mut cuts = vec![RunPlace { batch_idx: 0, row_idx: 0 }];
    let mut decoded: Option<(usize, Rows)> = None;
    for bound in bounds {
        // The batch before the first that begins at the bound or behind it.
        let batch_idx = samples.firsts.partition_point(|first| first < bound).saturating_sub(1);
        let rows = match decoded.take() {
            Some((decoded_idx, rows)) if decoded_idx == batch_idx => rows,
            _ if run.n_batches() == 0 => continue,
            _ => keys.of_batch(run, batch_idx)?,
        };
        cuts.push(RunPlace { batch_idx, row_idx: rows_before(&rows, bound) });
        decoded = Some((batch_idx, rows));
    }
    let end = RunPlace { batch_idx: run.n_batches(), row_idx: 0 };
    cuts.resize(bounds.len() + 2, end);
    Ok(cuts)
}

fn rows_before(rows: &Rows, bound: &OwnedRow) -> usize {
    let (mut start, mut end) = (0, rows.num_rows());
    while start < end {
        let middle = start + (end - start) / 2;
        if rows.row(middle) < bound.row() {
            start = middle + 1;
        } else {
            end = middle;
        }
    }
    start
}

impl fmt::Debug for RangeMergeExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RangeMergeExec").field("keys", &self.keys).finish_non_exhaustive()
    }
}

impl DisplayAs for RangeMergeExec {
    fn fmt_as(&self, _display: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RangeMergeExec: {}", self.keys)
    }
}

impl ExecutionPlan for RangeMergeExec {
    fn name(&self) -> &str {
        "RangeMergeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn with_new_children(self: Arc<Self>, _children: Vec<Arc<dyn ExecutionPlan>>) -> DfResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> DfResult<SendableRecordBatchStream> {
        let runs = self.runs.iter().zip(self.cuts.iter()).filter_map(|(run, cuts)| {
            let (start, end) = (*cuts.get(partition)?, *cuts.get(partition + 1)?);
            (start < end).then(|| run.clone().rows(start, end))
        });
        let n_runs = self.runs.len();
        let streams: Vec<SendableRecordBatchStream> = runs
            .map(|rows| {
                let batches =
                    futures::stream::iter(MergeInput::new(rows, n_runs).map(|batch| batch.map_err(Into::into)));
                Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)) as _
            })
            .collect();
        if streams.is_empty() {
            return Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), futures::stream::empty())));
        }
        let reservation = MemoryConsumer::new("merge").register(context.memory_pool());
        StreamingMergeBuilder::new()
            .with_streams(streams)
            .with_schema(self.schema())
            .with_expressions(&self.keys)
            .with_metrics(BaselineMetrics::new(&ExecutionPlanMetricsSet::new(), partition))
            .with_batch_size(context.session_config().batch_size())
            .with_reservation(reservation)
            .with_round_robin_tie_breaker(false)
            .build()
    }
}
