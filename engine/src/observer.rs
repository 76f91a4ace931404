//! What the engine tells its user while it works and when it is done: events, counters, the summary of a job.
//!
//! The engine prints nothing. It calls a [`JobObserver`]; whoever embeds it renders.

use std::time::Duration;

use arrow::record_batch::RecordBatch;
use arrow_schema::SchemaRef;

use crate::error::Error;
use crate::id::{AttemptId, JobId, StageId, TaskId};
use crate::serdes::BadRecords;

/// Receives what happens. Called from the driver and from task threads; must not block for long.
pub trait JobObserver: Send + Sync {
    /// Something happened.
    fn observe(&self, event: JobEvent<'_>);
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl JobObserver for NoObserver {
    fn observe(&self, _event: JobEvent<'_>) {}
}

/// What happens in a job, in this order but for tasks of one stage, which run side by side.
#[derive(Debug)]
pub enum JobEvent<'a> {
    JobStarted {
        job: JobId,
        stages: &'a [StageInfo],
    },
    StageStarted {
        stage: StageId,
        tasks: u32,
    },
    /// At most ten a second for each stage, and one when it ends.
    StageProgress {
        stage: StageId,
        progress: StageProgress,
    },
    /// An attempt failed and the task is tried again.
    TaskRetried {
        stage: StageId,
        task: TaskId,
        attempt: AttemptId,
        error: &'a Error,
    },
    StageFinished {
        stage: StageId,
        progress: StageProgress,
        elapsed: Duration,
    },
    /// Something the user should know that is no error; also found in the summary.
    Warning(&'a str),
    JobFinished {
        job: JobId,
        elapsed: Duration,
    },
}

/// A stage as it is shown: `Stage-1`, map or reduce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageInfo {
    pub stage: StageId,
    pub kind: StageKind,
    /// One line: `map: scan cloudfront_logs, filter, group by os`.
    pub label: String,
}

/// What a stage reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageKind {
    /// Input splits.
    Map,
    /// Shuffle partitions.
    Reduce,
}

/// How far a stage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StageProgress {
    pub tasks_done: u32,
    pub tasks_total: u32,
    /// Rows read so far.
    pub rows: u64,
    /// Bytes read so far, as stored.
    pub bytes: u64,
    /// Bytes there are to read, as stored; 0 where nobody knows.
    pub bytes_total: u64,
    /// Attempts started, retries included.
    pub attempts: u32,
}

/// What a job read, made and lost. Nothing is lost silently: every count that is not zero is for the user's eyes.
#[derive(Debug, Clone, Default)]
pub struct JobSummary {
    /// One entry per table that was read.
    pub inputs: Vec<InputSummary>,
    /// One entry per output that was written.
    pub outputs: Vec<OutputSummary>,
    pub warnings: Vec<String>,
    /// Attempts started, retries included.
    pub attempts: u32,
    /// Attempts that failed and were tried again.
    pub retries: u32,
    /// Requests to an object store.
    pub requests: Requests,
    /// Bytes of map output written to disk because memory did not suffice.
    pub spilled_bytes: u64,
    pub elapsed: Duration,
}

/// Requests to an object store; none for local files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requests {
    pub list: u64,
    pub get: u64,
    /// PUT, COPY and POST: uploads and their parts.
    pub put: u64,
    /// Answers, or lost ones, after which one was sent again.
    pub retries: u64,
    /// How long threads that read waited for bytes, in sum.
    pub waited: Duration,
}

/// What a statement would read and write, known before a byte is read.
#[derive(Debug, Clone, Default)]
pub struct PlanSummary {
    /// One entry per scan; a table that is read twice has two.
    pub inputs: Vec<PlannedInput>,
    /// The directory that would be replaced, as the user would find it.
    pub output: Option<String>,
    pub warnings: Vec<String>,
}

/// What a statement would read of one table.
#[derive(Debug, Clone, Default)]
pub struct PlannedInput {
    /// `database.table`, or `table` in the default database.
    pub table: String,
    pub files: u64,
    /// Folders with files whose names are like `dt=2014-07-05`; none in a location without such.
    pub partitions: u64,
    /// As stored.
    pub bytes: u64,
    pub splits: u64,
    /// What listing and reading would ask of an object store.
    pub requests: Requests,
}

/// What was read of one table.
#[derive(Debug, Clone, Default)]
pub struct InputSummary {
    /// `database.table`, or `table` in the default database.
    pub table: String,
    pub files: u64,
    pub rows: u64,
    /// As stored.
    pub bytes: u64,
    pub bad_records: BadRecords,
    /// Records longer than the limit, read past.
    pub records_too_long: u64,
}

/// What was written to one directory.
#[derive(Debug, Clone)]
pub struct OutputSummary {
    /// As the user would find it: an absolute path or a URL.
    pub path: String,
    /// Names and sizes of the files, `_SUCCESS` not counted.
    pub files: Vec<OutputFile>,
    pub rows: u64,
    pub bytes: u64,
    /// The first rows, at most ten.
    pub preview: Option<(SchemaRef, Vec<RecordBatch>)>,
}

/// One file of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    pub name: String,
    pub rows: u64,
    pub bytes: u64,
}
