//! The scan node: a `FileSource` inside DataFusion's `FileScanConfig`.
//!
//! A leaf of our own would be simpler and wrong: Ballista narrows a task only if its leaf is a `FileScanConfig`, and
//! has every task read everything otherwise. Each `PartitionedFile` carries its `InputSplit` as an extension, so
//! plain and compressed files mix in one table.

use std::fmt;
use std::sync::Arc;

use arrow::compute::BatchCoalescer;
use arrow::record_batch::RecordBatch;
use arrow_schema::ArrowError;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::config::ConfigOptions;
use datafusion::datasource::physical_plan::{FileGroup, FileOpenFuture, FileOpener, FileScanConfig, FileSource};
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
use super::report::{ScanReport, SplitReport};
use crate::config::InputConfig;
use crate::error::{Error, Result};
use crate::input::{self, InputSplit, LineOptions, RecordBlock, RecordReader};
use crate::serdes::{Deserializer, TableSerde};
use crate::storage::{ReadAhead, Storage};

/// Reads one table's splits through its SerDe.
#[derive(Clone)]
pub(super) struct LogSource {
    pub serde: Arc<dyn TableSerde>,
    pub lines: LineOptions,
    pub input: InputConfig,
    pub storage: Storage,
    pub report: Arc<ScanReport>,
    table_schema: TableSchema,
    projection: SplitProjection,
    predicate: Predicate,
    /// `logq.scan.pushdown`.
    takes_predicates: bool,
    batch_rows: usize,
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
            report,
            projection: SplitProjection::unprojected(&table_schema),
            table_schema,
            predicate: Predicate::default(),
            takes_predicates,
            batch_rows: 8192,
            metrics: ExecutionPlanMetricsSet::new(),
        }
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
        let splits = base_config.file_groups.get(partition).map(FileGroup::files).unwrap_or_default();
        let splits: Vec<InputSplit> =
            splits.iter().filter_map(|file| file.extension::<InputSplit>().cloned()).collect();
        let files = Arc::new(input::read_ahead(&splits, &self.storage));
        let opener = Arc::new(SplitOpener { source: self.clone(), files, batch_rows, partition });
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

/// Opens the splits of one scan partition, one after the other.
struct SplitOpener {
    source: LogSource,
    files: Arc<ReadAhead>,
    batch_rows: usize,
    partition: usize,
}

impl FileOpener for SplitOpener {
    fn open(&self, file: datafusion::datasource::listing::PartitionedFile) -> DfResult<FileOpenFuture> {
        let split = file
            .extension::<InputSplit>()
            .cloned()
            .ok_or_else(|| Error::internal("a scanned file carries no input split"))?;
        let (source, files) = (self.source.clone(), Arc::clone(&self.files));
        let (batch_rows, partition) = (self.batch_rows, self.partition);
        Ok(async move {
            let rows = SplitRows::open(source, &files, batch_rows, partition, split)?;
            Ok(futures::stream::iter(rows.map(|batch| batch.map_err(Into::into))).boxed())
        }
        .boxed())
    }
}

/// The rows of one split, batch by batch, read and decoded by whoever asks for the next one.
struct SplitRows {
    reader: Box<dyn RecordReader>,
    deserializer: Box<dyn Deserializer>,
    /// The block at hand and its first record that was not decoded yet.
    block: Option<(RecordBlock, usize)>,
    /// Records that are decoded at a time.
    records_max: usize,
    /// Puts together what a predicate left of many batches, so that few rows do not hold many blocks in memory.
    coalescer: Option<BatchCoalescer>,
    report: Arc<ScanReport>,
    partition: usize,
    file: String,
    /// What was told to the report's progress.
    told: (u64, u64),
    all_decoded: bool,
    ended: bool,
}

impl SplitRows {
    fn open(
        source: LogSource,
        files: &ReadAhead,
        batch_rows: usize,
        partition: usize,
        split: InputSplit,
    ) -> Result<Self> {
        let file = split.file.path.display().to_string();
        let (columns, filters) = (&source.projection.file_indices, source.predicate.filters());
        let coalescer = (!filters.is_empty()).then(|| {
            let schema = source.table_schema.file_schema().project(columns).map_err(not_put_together)?;
            Ok(BatchCoalescer::new(Arc::new(schema), batch_rows)
                .with_biggest_coalesce_batch_size(Some(batch_rows.div_ceil(2))))
        });
        let rows = SplitRows {
            reader: input::open_split(&split, files, &source.lines, &source.input)?,
            deserializer: source.serde.deserializer(columns, filters)?,
            block: None,
            records_max: if filters.is_empty() { batch_rows } else { source.batch_rows },
            coalescer: coalescer.transpose()?,
            report: source.report,
            partition,
            file,
            told: (0, 0),
            all_decoded: false,
            ended: false,
        };
        rows.report.open_split(partition);
        Ok(rows)
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.coalescer.as_mut().and_then(BatchCoalescer::next_completed_batch) {
                return Ok(Some(batch));
            }
            if self.all_decoded {
                return Ok(None);
            }
            let decoded = self.decode()?;
            self.all_decoded = decoded.is_none();
            let Some(coalescer) = &mut self.coalescer else {
                return Ok(decoded);
            };
            match decoded {
                Some(batch) => coalescer.push_batch(batch),
                None => coalescer.finish_buffered_batch(),
            }
            .map_err(not_put_together)?;
        }
    }

    /// The rows of the next records, which may be none; `None` after the last.
    fn decode(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some((block, record_idx)) = self.block.take() {
                let end = block.records.len().min(record_idx + self.records_max);
                let batch = self
                    .deserializer
                    .deserialize(&block, record_idx..end)
                    .map_err(|error| error.in_file(&self.file, None, None))?;
                if end < block.records.len() {
                    self.block = Some((block, end));
                }
                return Ok(Some(batch));
            }
            let block = self.reader.next_block()?;
            let read = self.reader.counters();
            self.report.advance(read.records - self.told.0, read.bytes_read - self.told.1);
            self.told = (read.records, read.bytes_read);
            match block {
                Some(block) => self.block = Some((block, 0)),
                None => return Ok(None),
            }
        }
    }

    fn finish(&mut self) {
        self.ended = true;
        let mut bad_records = self.deserializer.take_bad_records();
        bad_records.in_file(&self.file);
        self.report.add(
            self.partition,
            SplitReport {
                read: self.reader.counters(),
                rows_filtered: self.deserializer.rows_filtered(),
                bad: bad_records,
                warnings: self.reader.take_warnings(),
            },
        );
    }
}

fn not_put_together(error: ArrowError) -> Error {
    Error::internal("the rows of a split do not make a batch").with_source(error)
}

impl Iterator for SplitRows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_batch().transpose();
        if !matches!(next, Some(Ok(_))) {
            self.finish();
        }
        next
    }
}

impl Drop for SplitRows {
    /// A LIMIT may stop the reading early; what was read is reported all the same.
    fn drop(&mut self) {
        if !self.ended {
            self.finish();
        }
    }
}
