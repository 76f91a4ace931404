//! What one scan read and could not read, kept so that a task that is tried again is not counted twice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::input::ReadCounters;
use crate::serdes::BadRecords;
use crate::storage::RequestCounts;

/// What one scan of one table did. Shared by the scan's tasks and by whoever shows progress.
#[derive(Debug)]
pub struct ScanReport {
    /// As the user calls the table.
    pub table: String,
    pub files: u64,
    /// Folders like `dt=2014-07-05` that hold some of them.
    pub partitions: u64,
    /// Bytes there are to read, as stored.
    pub bytes_total: u64,
    pub splits: u64,
    /// What listing took, and reading will take without tries.
    pub requests: RequestCounts,
    rows: AtomicU64,
    bytes: AtomicU64,
    /// By scan partition, which is one task: a later attempt replaces what an earlier one left.
    tasks: Mutex<BTreeMap<usize, SplitReport>>,
}

/// What the reader of one split did, or of several.
#[derive(Debug, Clone, Default)]
pub(super) struct SplitReport {
    /// One, of one split.
    pub splits_opened: u64,
    pub read: ReadCounters,
    /// Rows that the predicate dropped before they were built.
    pub rows_filtered: u64,
    pub bad: BadRecords,
    pub warnings: Vec<String>,
}

impl SplitReport {
    fn add(&mut self, later: SplitReport) {
        self.splits_opened += later.splits_opened;
        self.read.add(later.read);
        self.rows_filtered += later.rows_filtered;
        self.bad.merge(later.bad);
        self.warnings.extend(later.warnings);
    }
}

/// The sums over all partitions of a scan.
#[derive(Debug, Clone, Default)]
pub struct ScanTotals {
    pub read: ReadCounters,
    /// A LIMIT may be met before all are.
    pub splits_opened: u64,
    /// Rows that the scan's predicate dropped before they were built.
    pub rows_filtered: u64,
    pub bad: BadRecords,
    pub warnings: Vec<String>,
}

impl ScanReport {
    /// A report with nothing read.
    pub fn new(
        table: String,
        files: u64,
        partitions: u64,
        splits: u64,
        bytes_total: u64,
        requests: RequestCounts,
    ) -> Self {
        ScanReport {
            table,
            files,
            partitions,
            splits,
            bytes_total,
            requests,
            rows: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            tasks: Mutex::default(),
        }
    }

    /// Rows and stored bytes read so far, for progress: attempts that failed are in it.
    pub fn progress(&self) -> (u64, u64) {
        (self.rows.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    /// Forgets what an earlier attempt of this partition reported.
    pub(super) fn start(&self, partition: usize) {
        self.lock().insert(partition, SplitReport::default());
    }

    /// Counts towards progress.
    pub(super) fn advance(&self, rows: u64, bytes: u64) {
        self.rows.fetch_add(rows, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Adds what the reader of one split did.
    pub(super) fn add(&self, partition: usize, split: SplitReport) {
        self.lock().entry(partition).or_default().add(split);
    }

    /// The sums, partitions in order, so that the first example is the first in the input.
    pub fn totals(&self) -> ScanTotals {
        let mut sum = SplitReport::default();
        for report in self.lock().values() {
            sum.add(report.clone());
        }
        let SplitReport { splits_opened, read, rows_filtered, bad, warnings } = sum;
        ScanTotals { read, splits_opened, rows_filtered, bad, warnings }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<usize, SplitReport>> {
        // A task that panicked while it held the lock left a report that is whole: entries are replaced, not patched.
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
