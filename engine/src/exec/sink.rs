//! Where the rows of a task go: the shuffle, a file, or whoever asked for them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use arrow_schema::SchemaRef;
use crossbeam::channel::{Receiver, SendTimeoutError, Sender, bounded};
use datafusion::physical_expr::PhysicalExpr;

use super::cancel::CancelFlag;
use crate::error::{Error, Result, codes};
use crate::id::{AttemptId, TaskId};
use crate::output::{Committer, PendingFile, RecordWriter};
use crate::serdes::TableSerde;
use crate::shuffle::{MapOutput, MapOutputWriter, PartitionedRows};

/// Where the rows of a job's last stage go.
pub enum ResultSink {
    /// To whoever reads the receivers, task by task.
    Rows(RowSenders),
    /// Into files, one for each task that has rows.
    Files(Arc<FileOutput>),
}

/// Batches that one channel holds before its task waits for the reader.
const BATCHES_WAITING_MAX: usize = 4;

/// One result task's way to the reader. Attempts after the first leave out what was already sent: a task gives the
/// same rows in the same order each time.
#[derive(Clone)]
pub struct RowSender {
    sender: Sender<RecordBatch>,
    rows_sent: Arc<AtomicU64>,
}

impl RowSender {
    /// Waits until there is room. The reader may be waiting for another task, and that one may have failed: so this
    /// looks up now and then.
    fn send(&self, batch: RecordBatch, cancel: &CancelFlag, enough: &CancelFlag) -> Result<()> {
        let mut waiting = batch;
        loop {
            match self.sender.send_timeout(waiting, SEND_TICK) {
                Ok(()) => return Ok(()),
                Err(SendTimeoutError::Timeout(batch)) => {
                    cancel.check()?;
                    enough.check()?;
                    waiting = batch;
                }
                // A reader that went away wants no more rows.
                Err(SendTimeoutError::Disconnected(_)) => {
                    cancel.cancel();
                    return cancel.check();
                }
            }
        }
    }
}

/// How long a task waits for room before it looks whether anybody still wants its rows.
const SEND_TICK: Duration = Duration::from_millis(50);

/// The ways of all result tasks. A receiver ends when its task is done and closed, so that the next one is read.
pub struct RowSenders(Mutex<Vec<Option<RowSender>>>);

/// A way for each result task, and the ends to read them from in task order.
pub fn row_channels(n_tasks: usize) -> (RowSenders, Vec<Receiver<RecordBatch>>) {
    let (senders, receivers) = (0..n_tasks)
        .map(|_| {
            let (sender, receiver) = bounded(BATCHES_WAITING_MAX);
            (Some(RowSender { sender, rows_sent: Arc::default() }), receiver)
        })
        .unzip();
    (RowSenders(Mutex::new(senders)), receivers)
}

impl RowSenders {
    pub(super) fn get(&self, task: TaskId) -> Result<RowSender> {
        let senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = senders.get(task.0 as usize).cloned().flatten();
        sender.ok_or_else(|| Error::internal(format!("nobody waits for the rows of result task {task}")))
    }

    /// The task is done.
    pub(super) fn close(&self, task: TaskId) {
        let mut senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = senders.get_mut(task.0 as usize) {
            *sender = None;
        }
    }

    /// There are only `n_tasks` tasks.
    pub(super) fn truncate(&self, n_tasks: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).truncate(n_tasks);
    }
}

/// The files of one INSERT: who makes them final, how rows become text, and the first rows for the user's eyes.
pub struct FileOutput {
    pub committer: Committer,
    pub serde: Arc<dyn TableSerde>,
    preview: Mutex<Vec<(TaskId, RecordBatch)>>,
}

/// Rows that are shown of what was written.
const PREVIEW_ROWS: usize = 10;

impl FileOutput {
    /// Nothing written yet.
    pub fn new(committer: Committer, serde: Arc<dyn TableSerde>) -> Self {
        FileOutput { committer, serde, preview: Mutex::default() }
    }

    /// The first rows in task order, at most ten.
    pub fn preview(&self) -> Vec<RecordBatch> {
        let mut batches = self.preview.lock().unwrap_or_else(PoisonError::into_inner).clone();
        batches.sort_by_key(|(task, _)| *task);
        let mut rows_left = PREVIEW_ROWS;
        let mut preview = Vec::new();
        for (_, batch) in batches {
            let taken = batch.slice(0, batch.num_rows().min(rows_left));
            rows_left -= taken.num_rows();
            if taken.num_rows() > 0 {
                preview.push(taken);
            }
        }
        preview
    }

    /// Gives the committer back once no task holds this any more.
    pub fn into_committer(self) -> Committer {
        self.committer
    }
}

/// One attempt's sink under construction.
pub(super) enum TaskSink {
    Hash {
        writer: MapOutputWriter,
        keys: Vec<Arc<dyn PhysicalExpr>>,
        partitions: u32,
        rows: PartitionedRows,
    },
    Gather(MapOutputWriter),
    Rows {
        sender: RowSender,
        rows_seen: u64,
        cancel: CancelFlag,
        enough: CancelFlag,
    },
    Files {
        output: Arc<FileOutput>,
        task: TaskId,
        attempt: AttemptId,
        writer: Option<RecordWriter>,
        preview: Vec<RecordBatch>,
    },
}

/// What a finished attempt leaves for the driver to accept.
pub(super) enum TaskOutput {
    Shuffle(Box<MapOutput>),
    Rows,
    /// No file if there were no rows.
    File {
        file: Option<PendingFile>,
        preview: Vec<RecordBatch>,
    },
}

impl TaskSink {
    pub fn write(&mut self, batch: RecordBatch) -> Result<()> {
        match self {
            TaskSink::Hash { writer, keys, partitions, rows } => {
                let keys = keys
                    .iter()
                    .map(|key| key.evaluate(&batch).and_then(|value| value.into_array(batch.num_rows())))
                    .collect::<datafusion::common::Result<Vec<_>>>()
                    .map_err(Error::from_datafusion)?;
                rows.assign(&keys, batch.num_rows(), *partitions)?;
                writer.write_rows(&batch, rows)
            }
            TaskSink::Gather(writer) => writer.write(0, batch),
            TaskSink::Rows { sender, rows_seen, cancel, enough } => {
                let n_rows = batch.num_rows() as u64;
                let sent = sender.rows_sent.load(Ordering::Relaxed);
                let skipped = sent.saturating_sub(*rows_seen).min(n_rows);
                *rows_seen += n_rows;
                if skipped == n_rows {
                    return Ok(());
                }
                let rest = batch.slice(skipped as usize, (n_rows - skipped) as usize);
                sender.send(rest, cancel, enough)?;
                sender.rows_sent.store(*rows_seen, Ordering::Relaxed);
                Ok(())
            }
            TaskSink::Files { output, task, attempt, writer, preview } => {
                if writer.is_none() {
                    *writer = Some(output.committer.start(*task, *attempt, output.serde.serializer()?)?);
                }
                let rows_shown: usize = preview.iter().map(RecordBatch::num_rows).sum();
                if rows_shown < PREVIEW_ROWS {
                    preview.push(shown_rows(&batch, PREVIEW_ROWS - rows_shown)?);
                }
                match writer {
                    Some(writer) => writer.write(&batch),
                    None => Err(Error::internal("a file output without a writer")),
                }
            }
        }
    }

    pub fn finish(self) -> Result<TaskOutput> {
        Ok(match self {
            TaskSink::Hash { writer, .. } | TaskSink::Gather(writer) => TaskOutput::Shuffle(Box::new(writer.finish()?)),
            TaskSink::Rows { .. } => TaskOutput::Rows,
            TaskSink::Files { writer, preview, .. } => {
                TaskOutput::File { file: writer.map(RecordWriter::finish).transpose()?, preview }
            }
        })
    }
}

impl FileOutput {
    pub(super) fn keep_preview(&self, task: TaskId, preview: Vec<RecordBatch>) {
        let mut all = self.preview.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(preview.into_iter().map(|batch| (task, batch)));
        // Only the first tasks can show: drop what lies behind ten rows.
        all.sort_by_key(|(task, _)| *task);
        let mut rows = 0;
        all.retain(|(_, batch)| {
            let wanted = rows < PREVIEW_ROWS;
            rows += batch.num_rows();
            wanted
        });
    }
}

/// A copy of the first rows that holds nothing else alive.
fn shown_rows(batch: &RecordBatch, rows_max: usize) -> Result<RecordBatch> {
    let rows = arrow::array::UInt32Array::from_iter_values(0..batch.num_rows().min(rows_max) as u32);
    let columns = batch
        .columns()
        .iter()
        .map(|column| arrow::compute::take(column, &rows, None))
        .collect::<arrow::error::Result<Vec<_>>>();
    let schema: SchemaRef = batch.schema();
    columns
        .and_then(|columns| {
            let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
            RecordBatch::try_new_with_options(schema, columns, &options)
        })
        .map_err(|error| Error::new(codes::INTERNAL, "the first rows cannot be copied").with_source(error))
}
