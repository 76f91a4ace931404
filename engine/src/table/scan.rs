//! The scan node: a `FileSource` inside DataFusion's `FileScanConfig`.
//!
//! A leaf of our own would be simpler and wrong: Ballista narrows a task only if its leaf is a `FileScanConfig`, and
//! has every task read everything otherwise. Each of its file groups is what one map task reads, as one
//! `PartitionedFile` that carries the task's splits as an extension: so plain and compressed files mix in one table, and
//! going on to the next small file is not going through DataFusion's stream of files.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_schema::SchemaRef;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::config::ConfigOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileOpenFuture, FileOpener, FileScanConfig, FileSource};
use datafusion::datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::DisplayFormatType;
use datafusion::physical_plan::filter_pushdown::{FilterPushdownPropagation, PushedDown};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::{FutureExt, StreamExt};
use object_store::ObjectStore;

use super::predicate::Predicate;
use super::report::ScanReport;
use super::spare_buffers::SpareBuffers;
use super::task_rows::TaskRows;
use crate::config::InputConfig;
use crate::error::Error;
use crate::input::{self, InputSplit, LineOptions};
use crate::serdes::{RowFilter, TableSerde};
use crate::storage::{ReadAhead, Storage, TasksAhead};

/// All that one map task reads of a table, in order. Never empty.
#[derive(Clone)]
pub(super) struct TaskSplits(Arc<[InputSplit]>);

impl TaskSplits {
    /// As a file of DataFusion's, which is shown with the name of the first.
    pub fn into_file(splits: Vec<InputSplit>) -> PartitionedFile {
        let bytes_of =
            |split: &InputSplit| split.range.as_ref().map_or(split.file.len, |range| range.end - range.start);
        let name = match splits.as_slice() {
            [] => String::new(),
            [only] => only.file.path.to_string(),
            [first, rest @ ..] => format!("{} and {} more", first.file.path, rest.len()),
        };
        let range = match splits.as_slice() {
            [only] => only.range.clone(),
            _ => None,
        };
        let file = PartitionedFile::new(name, splits.iter().map(bytes_of).sum());
        let file = match range {
            Some(range) => file.with_range(range.start as i64, range.end as i64),
            None => file,
        };
        file.with_extension(TaskSplits(splits.into()))
    }
}

/// Reads one table's splits through its SerDe.
#[derive(Clone)]
pub(super) struct LogSource {
    pub serde: Arc<dyn TableSerde>,
    pub lines: LineOptions,
    pub input: InputConfig,
    storage: Storage,
    ahead: Arc<TasksAhead>,
    pub spare: Arc<SpareBuffers>,
    pub report: Arc<ScanReport>,
    table_schema: TableSchema,
    projection: SplitProjection,
    predicate: Predicate,
    /// `logq.scan.pushdown`.
    takes_predicates: bool,
    pub batch_rows: usize,
    metrics: ExecutionPlanMetricsSet,
}

impl LogSource {
    /// A scan of all columns.
    pub fn new(
        table_schema: TableSchema,
        serde: Arc<dyn TableSerde>,
        lines: LineOptions,
        input: InputConfig,
        storage: Storage,
        takes_predicates: bool,
        report: Arc<ScanReport>,
    ) -> Self {
        LogSource {
            serde,
            lines,
            input,
            storage,
            ahead: Arc::default(),
            spare: Arc::new(SpareBuffers::new(0)),
            report,
            projection: SplitProjection::unprojected(&table_schema),
            table_schema,
            predicate: Predicate::default(),
            takes_predicates,
            batch_rows: 8192,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// The same, by so many tasks, which leave their buffers to each other.
    pub fn in_tasks(self, n_tasks: usize) -> Self {
        LogSource { spare: Arc::new(SpareBuffers::new(n_tasks)), ..self }
    }

    /// A LIMIT may be met before the next task starts.
    fn tasks_ahead(&self, config: &FileScanConfig) -> usize {
        if config.limit.is_some() { 0 } else { self.storage.tasks_ahead() }
    }

    /// Table columns that are in the output, in its order.
    pub fn columns_projected(&self) -> &[usize] {
        &self.projection.file_indices
    }

    /// What a row must pass.
    pub fn filters(&self) -> &[Arc<dyn RowFilter>] {
        self.predicate.filters()
    }

    /// The columns of the files.
    pub fn file_schema(&self) -> &SchemaRef {
        self.table_schema.file_schema()
    }

    /// Table columns that are decoded, for the output or for the predicate; ascending.
    pub fn columns_decoded(&self) -> Vec<usize> {
        let filtered = self.predicate.filters().iter().flat_map(|filter| filter.columns());
        let mut columns: Vec<usize> = self.projection.file_indices.iter().chain(filtered).copied().collect();
        columns.sort_unstable();
        columns.dedup();
        columns
    }
}

impl FileSource for LogSource {
    fn create_file_opener(
        &self,
        _object_store: Arc<dyn ObjectStore>,
        base_config: &FileScanConfig,
        partition: usize,
    ) -> DfResult<Arc<dyn FileOpener>> {
        self.report.start(partition);
        // No more rows than a LIMIT asks for are put together.
        let batch_rows = base_config.limit.map_or(self.batch_rows, |limit| self.batch_rows.min(limit).max(1));
        let files = self.ahead.of_task(partition, self.tasks_ahead(base_config), |task| {
            let group = base_config.file_groups.get(task)?;
            let TaskSplits(splits) = group.files().first()?.extension::<TaskSplits>()?;
            splits.first().filter(|split| split.file.path.as_object().is_some())?;
            Some(input::read_ahead(splits, &self.storage))
        });
        let opener = Arc::new(TaskOpener { source: self.clone(), files: Mutex::new(files), batch_rows, partition });
        ProjectionOpener::try_new(self.projection.clone(), opener, self.table_schema.file_schema())
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table_schema
    }

    fn with_batch_size(&self, batch_rows: usize) -> Arc<dyn FileSource> {
        Arc::new(LogSource { batch_rows, ..self.clone() })
    }

    fn filter(&self) -> Option<Arc<dyn PhysicalExpr>> {
        self.predicate.expr()
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        "log"
    }

    fn fmt_extra(&self, display: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match display {
            DisplayFormatType::TreeRender => Ok(()),
            _ => {
                write!(f, ", table={}, serde={}", self.report.table, self.serde.describe())?;
                self.predicate.expr().map_or(Ok(()), |predicate| write!(f, ", predicate={predicate}"))
            }
        }
    }

    /// Splits are cut when the plan is made, from the files alone: never for a number of threads.
    fn supports_repartitioning(&self) -> bool {
        false
    }

    /// Predicates are taken whole: what is taken, no operator tries again.
    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> DfResult<FilterPushdownPropagation<Arc<dyn FileSource>>> {
        let (table, file) = (self.table_schema.table_schema(), self.table_schema.file_schema());
        let is_taken: Vec<bool> =
            filters.iter().map(|filter| self.takes_predicates && Predicate::takes(filter, table, file)).collect();
        let answers = is_taken.iter().map(|&taken| if taken { PushedDown::Yes } else { PushedDown::No }).collect();
        let taken: Vec<_> = filters.into_iter().zip(&is_taken).filter(|(_, taken)| **taken).map(|(it, _)| it).collect();
        let result = FilterPushdownPropagation::with_parent_pushdown_result(answers);
        if taken.is_empty() {
            return Ok(result);
        }
        let predicate = self.predicate.and(taken, file)?;
        Ok(result.with_updated_node(Arc::new(LogSource { predicate, ..self.clone() })))
    }

    fn try_pushdown_projection(&self, projection: &ProjectionExprs) -> DfResult<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.table_schema.file_schema(), &merged);
        Ok(Some(Arc::new(LogSource { projection, ..self.clone() })))
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        let roots = self.projection.source.iter().map(|column| &column.expr).chain(self.predicate.conjuncts());
        datafusion::physical_plan::apply_expression_roots(roots, f)
    }
}

/// Opens the file that stands for the splits of one scan partition.
struct TaskOpener {
    source: LogSource,
    /// Of objects of S3, for whoever opens them first.
    files: Mutex<Option<ReadAhead>>,
    batch_rows: usize,
    partition: usize,
}

impl FileOpener for TaskOpener {
    fn open(&self, file: PartitionedFile) -> DfResult<FileOpenFuture> {
        let TaskSplits(splits) = file
            .extension::<TaskSplits>()
            .cloned()
            .ok_or_else(|| Error::internal("a scanned file carries no input splits"))?;
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner).take();
        let files = files.unwrap_or_else(|| input::read_ahead(&splits, &self.source.storage));
        let rows = TaskRows::new(&self.source, self.batch_rows, self.partition, splits, files)?;
        Ok(async move { Ok(futures::stream::iter(rows.map(|batch| batch.map_err(Into::into))).boxed()) }.boxed())
    }
}
