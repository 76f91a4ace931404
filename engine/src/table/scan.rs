//! The scan node: a `FileSource` inside DataFusion's `FileScanConfig`.
//!
//! A leaf of our own would be simpler and wrong: Ballista narrows a task only if its leaf is a `FileScanConfig`, and
//! has every task read everything otherwise. Each `PartitionedFile` carries its `InputSplit` as an extension, so
//! plain and compressed files mix in one table.

use std::fmt;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::physical_plan::{FileOpenFuture, FileOpener, FileScanConfig, FileSource};
use datafusion::datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::DisplayFormatType;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::{FutureExt, StreamExt};
use object_store::ObjectStore;

use super::report::ScanReport;
use crate::config::InputConfig;
use crate::error::{Error, Result};
use crate::input::{self, InputSplit, LineOptions, RecordBlock, RecordReader};
use crate::serdes::{Deserializer, TableSerde};

/// Reads one table's splits through its SerDe.
#[derive(Clone)]
pub(super) struct LogSource {
    pub serde: Arc<dyn TableSerde>,
    pub lines: LineOptions,
    pub input: InputConfig,
    pub report: Arc<ScanReport>,
    table_schema: TableSchema,
    projection: SplitProjection,
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
        report: Arc<ScanReport>,
    ) -> Self {
        LogSource {
            serde,
            lines,
            input,
            report,
            projection: SplitProjection::unprojected(&table_schema),
            table_schema,
            batch_rows: 8192,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl FileSource for LogSource {
    fn create_file_opener(
        &self,
        _object_store: Arc<dyn ObjectStore>,
        _base_config: &FileScanConfig,
        partition: usize,
    ) -> DfResult<Arc<dyn FileOpener>> {
        self.report.start(partition);
        let opener = Arc::new(SplitOpener { source: self.clone(), partition });
        ProjectionOpener::try_new(self.projection.clone(), opener, self.table_schema.file_schema())
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table_schema
    }

    fn with_batch_size(&self, batch_rows: usize) -> Arc<dyn FileSource> {
        Arc::new(LogSource { batch_rows, ..self.clone() })
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
            _ => write!(f, ", table={}, serde={}", self.report.table, self.serde.describe()),
        }
    }

    /// Splits are cut when the plan is made, from the files alone: never for a number of threads.
    fn supports_repartitioning(&self) -> bool {
        false
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
        datafusion::physical_plan::apply_expression_roots(self.projection.source.iter(), f)
    }
}

/// Opens the splits of one scan partition, one after the other.
struct SplitOpener {
    source: LogSource,
    partition: usize,
}

impl FileOpener for SplitOpener {
    fn open(&self, file: datafusion::datasource::listing::PartitionedFile) -> DfResult<FileOpenFuture> {
        let split = file
            .extension::<InputSplit>()
            .cloned()
            .ok_or_else(|| Error::internal("a scanned file carries no input split"))?;
        let source = self.source.clone();
        let partition = self.partition;
        Ok(async move {
            let rows = SplitRows::open(source, partition, split)?;
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
    batch_rows: usize,
    report: Arc<ScanReport>,
    partition: usize,
    file: String,
    /// What was told to the report's progress.
    told: (u64, u64),
    ended: bool,
}

impl SplitRows {
    fn open(source: LogSource, partition: usize, split: InputSplit) -> Result<Self> {
        let file = split.file.path.display().to_string();
        Ok(SplitRows {
            reader: input::open_split(&split, &source.lines, &source.input)?,
            deserializer: source.serde.deserializer(&source.projection.file_indices)?,
            block: None,
            batch_rows: source.batch_rows,
            report: source.report,
            partition,
            file,
            told: (0, 0),
            ended: false,
        })
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some((block, record_idx)) = self.block.take() {
                let end = block.records.len().min(record_idx + self.batch_rows);
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
        self.report.add(self.partition, self.reader.counters(), bad_records, self.reader.take_warnings());
    }
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
