//! A catalog table made scannable.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{Result as DfResult, Statistics};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use super::report::ScanReport;
use super::scan::{LogSource, TaskSplits};
use crate::catalog::Table;
use crate::config::EngineConfig;
use crate::error::{Error, Result, codes};
use crate::input::{self, LineOptions, SplitOptions};
use crate::serdes::{self, TableSerde};
use crate::storage::{FileMeta, RequestCounts, Storage, StoragePath};

/// One table of one query. Files are listed and cut into splits when the physical plan is made.
#[derive(Debug)]
pub struct LogTable {
    table: Arc<Table>,
    location: Option<StoragePath>,
    serde: Arc<dyn TableSerde>,
    lines: LineOptions,
    config: Arc<EngineConfig>,
    storage: Storage,
    /// `logq.input.empty`: a location without files gives no rows instead of an error.
    allow_empty: bool,
    reports: ScanReports,
    /// The files, once somebody has asked, and what it took to find them.
    files: OnceLock<(Arc<Vec<Arc<FileMeta>>>, RequestCounts)>,
}

/// The reports of all scans of one query, in the order in which they were planned.
pub type ScanReports = Arc<Mutex<Vec<Arc<ScanReport>>>>;

impl LogTable {
    /// Checks the table's SerDe and properties; reads nothing yet.
    pub fn new(
        table: Arc<Table>,
        config: Arc<EngineConfig>,
        storage: Storage,
        allow_empty: bool,
        reports: ScanReports,
    ) -> Result<Self> {
        let serde = serdes::plan_serde(&table.serde, &table.serde_parameters(), &table.columns, &config.serde)?;
        let location =
            table.location.as_deref().map(|text| StoragePath::parse(text, &config.working_dir)).transpose()?;
        let lines = LineOptions {
            header_lines: line_count(&table, "skip.header.line.count")?,
            footer_lines: line_count(&table, "skip.footer.line.count")?,
        };
        Ok(LogTable { table, location, serde, lines, config, storage, allow_empty, reports, files: OnceLock::new() })
    }

    /// Where the data lies, if the table has data.
    pub fn location(&self) -> Option<&StoragePath> {
        self.location.as_ref()
    }

    /// What the SerDe warns of before it has read anything.
    pub fn warnings(&self) -> Vec<String> {
        self.serde.warnings()
    }

    /// Bytes of the table's files, as stored.
    pub fn bytes(&self) -> Result<u64> {
        Ok(self.files()?.0.iter().map(|file| file.len).sum())
    }

    fn files(&self) -> Result<&(Arc<Vec<Arc<FileMeta>>>, RequestCounts)> {
        if let Some(files) = self.files.get() {
            return Ok(files);
        }
        let before = self.storage.requests();
        let files = match &self.location {
            Some(location) => {
                let listing = self.storage.list(location).map_err(|error| {
                    let message = format!("table `{}` cannot be read: {}", self.table.display_name(), error.message());
                    error.with_message(message)
                })?;
                listing.files.into_iter().map(Arc::new).collect()
            }
            None => Vec::new(),
        };
        Ok(self.files.get_or_init(|| (Arc::new(files), self.storage.requests().since(before))))
    }

    fn plan_scan(&self) -> Result<Option<(LogSource, Vec<FileGroup>, u64)>> {
        let Some(location) = &self.location else {
            return Ok(None);
        };
        let (files, listed) = self.files()?;
        if files.is_empty() {
            if self.allow_empty {
                return Ok(None);
            }
            return Err(Error::new(
                codes::NO_INPUT_FILES,
                format!("table `{}` has no files to read in {}", self.table.display_name(), location.display()),
            )
            .with_hint(
                "names that start with `_` or `.` are hidden; `SET logq.input.empty=true` reads no rows instead",
            ));
        }
        let bytes_total = files.iter().map(|file| file.len).sum();
        let options = SplitOptions {
            header_lines: self.lines.header_lines,
            footer_lines: self.lines.footer_lines,
            config: &self.config.input,
        };
        let tasks = input::plan_splits(files, &options);
        let n_splits = tasks.iter().map(|splits| splits.len() as u64).sum();
        let n_gets: u64 = match location.as_object() {
            Some(_) => tasks.iter().map(|splits| input::read_ahead(splits, &self.storage).n_requests()).sum(),
            None => 0,
        };
        let requests = RequestCounts { get: listed.get + n_gets, ..*listed };
        let groups: Vec<_> =
            tasks.into_iter().map(|splits| FileGroup::new(vec![TaskSplits::into_file(splits)])).collect();
        let n_partitions = n_partitions(location, files);
        let files = files.len() as u64;
        let report = ScanReport::new(self.table.display_name(), files, n_partitions, n_splits, bytes_total, requests);
        let report = Arc::new(report);
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&report));
        // Files without a byte make no split.
        if groups.is_empty() {
            return Ok(None);
        }
        let source = LogSource::new(
            TableSchema::from(Arc::clone(&self.table.columns)),
            Arc::clone(&self.serde),
            self.lines,
            self.config.input.clone(),
            self.storage.clone(),
            self.config.scan_pushdown,
            report,
        );
        Ok(Some((source.in_tasks(groups.len()), groups, bytes_total)))
    }
}

#[async_trait]
impl TableProvider for LogTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.table.columns)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let Some((source, groups, bytes_total)) = self.plan_scan()? else {
            let schema = match projection {
                Some(columns) => Arc::new(self.table.columns.project(columns)?),
                None => Arc::clone(&self.table.columns),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        };
        let statistics = Statistics {
            total_byte_size: Precision::Inexact(usize::try_from(bytes_total).unwrap_or(usize::MAX)),
            ..Statistics::new_unknown(&self.table.columns)
        };
        let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_limit(limit)
            .with_projection_indices(projection.cloned())?
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

fn line_count(table: &Table, property: &str) -> Result<u32> {
    let Some(text) = table.properties.get(property) else {
        return Ok(0);
    };
    text.trim().parse().map_err(|_| {
        Error::new(
            codes::BAD_SERDE_PROPERTY,
            format!("`{property}` of table `{}` is {text:?}, expected a number of lines", table.name),
        )
    })
}
/// Folders with files that are laid out as Hive's partitions are, `dt=2014-07-05/hour=20`.
fn n_partitions(location: &StoragePath, files: &[Arc<FileMeta>]) -> u64 {
    let folder = location.folder_name();
    let has_slash = !folder.is_empty() && !folder.ends_with(b"/");
    let location_len = folder.len() + usize::from(has_slash) + location.file_name().len();
    let below = |file: &Arc<FileMeta>| file.path.folder_name().get(location_len..).unwrap_or_default().to_vec();
    let mut folders: Vec<Vec<u8>> = files.iter().map(below).filter(|folder| folder.contains(&b'=')).collect();
    folders.sort_unstable();
    folders.dedup();
    folders.len() as u64
}
