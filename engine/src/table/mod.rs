//! A catalog table as DataFusion's `TableProvider`: listing, splits, and the scan over `input` and `serdes`.

mod predicate;
mod provider;
mod report;
mod scan;
mod spare_buffers;
mod task_rows;

pub use provider::{LogTable, ScanReports};
pub use report::ScanReport;

use std::sync::Arc;

use datafusion::datasource::physical_plan::FileSource;

/// The report of a scan of ours.
pub fn scan_report(source: &dyn FileSource) -> Option<&Arc<ScanReport>> {
    source.downcast_ref::<scan::LogSource>().map(|source| &source.report)
}

/// How a scan of ours decodes its records, in one line.
pub fn scan_serde(source: &dyn FileSource) -> Option<String> {
    source.downcast_ref::<scan::LogSource>().map(|source| source.serde.describe())
}

/// How much of each record a scan of ours decodes, in one line.
pub fn scan_decoded(source: &dyn FileSource) -> Option<String> {
    source.downcast_ref::<scan::LogSource>().map(|source| source.serde.describe_decoded(&source.columns_decoded()))
}
