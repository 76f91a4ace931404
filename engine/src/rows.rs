//! The rows of a statement as they are made.

use std::sync::Arc;
use std::thread::JoinHandle;

use arrow::array::{RecordBatch, RecordBatchOptions, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use crossbeam::channel::Receiver;

use crate::error::{Error, Result};
use crate::exec::CancelFlag;
use crate::observer::JobSummary;
use crate::plan::show::TextRows;

/// Rows to be shown, batch by batch. Dropping it before its end stops the job.
pub struct RowStream {
    columns: SchemaRef,
    is_text: bool,
    source: Source,
    summary: JobSummary,
}

enum Source {
    Ready(std::vec::IntoIter<RecordBatch>),
    Job { receivers: std::vec::IntoIter<Receiver<RecordBatch>>, current: Option<Receiver<RecordBatch>>, driver: Driver },
}

/// The thread that drives the job, until it was joined.
struct Driver {
    thread: Option<JoinHandle<Result<JobSummary>>>,
    cancel: CancelFlag,
}

impl RowStream {
    /// Rows that a running job makes, task after task.
    pub(crate) fn of_job(
        columns: SchemaRef,
        receivers: Vec<Receiver<RecordBatch>>,
        thread: JoinHandle<Result<JobSummary>>,
        cancel: CancelFlag,
    ) -> Self {
        let driver = Driver { thread: Some(thread), cancel };
        let source = Source::Job { receivers: receivers.into_iter(), current: None, driver };
        RowStream { columns, is_text: false, source, summary: JobSummary::default() }
    }

    /// Rows of text that are there already.
    pub(crate) fn of_text(text: TextRows) -> Result<Self> {
        let fields: Vec<Field> = text.columns.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
        let columns = Arc::new(Schema::new(fields));
        let arrays = (0..text.columns.len())
            .map(|column_idx| {
                let values = text.rows.iter().map(|row| row.get(column_idx).map(String::as_str));
                Arc::new(StringArray::from_iter(values)) as _
            })
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(text.rows.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&columns), arrays, &options)
            .map_err(|error| Error::internal("rows of text do not fit their columns").with_source(error))?;
        let source = Source::Ready(vec![batch].into_iter());
        Ok(RowStream { columns, is_text: text.is_text, source, summary: JobSummary::default() })
    }

    /// Names and types of the columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.columns)
    }

    /// Whether these are lines of text to be printed as they are: a plan, a CREATE statement.
    pub fn is_text(&self) -> bool {
        self.is_text
    }

    /// What was read; all of it after the last batch.
    pub fn summary(&self) -> &JobSummary {
        &self.summary
    }

    fn next_batch(&mut self) -> Option<Result<RecordBatch>> {
        match &mut self.source {
            Source::Ready(batches) => batches.next().map(Ok),
            Source::Job { receivers, current, driver } => {
                loop {
                    if let Some(receiver) = current {
                        match receiver.recv() {
                            Ok(batch) => return Some(Ok(batch)),
                            Err(_) => *current = None,
                        }
                    }
                    match receivers.next() {
                        Some(next) => *current = Some(next),
                        None => break,
                    }
                }
                match driver.join()? {
                    Ok(summary) => {
                        self.summary = summary;
                        None
                    }
                    Err(error) => Some(Err(error)),
                }
            }
        }
    }
}

impl Iterator for RowStream {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.next_batch()?;
        Some(batch.and_then(|batch| {
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            RecordBatch::try_new_with_options(Arc::clone(&self.columns), batch.columns().to_vec(), &options)
                .map_err(|error| Error::internal("rows do not fit their columns").with_source(error))
        }))
    }
}

impl Driver {
    /// Waits for the job's end; `None` if that was done before.
    fn join(&mut self) -> Option<Result<JobSummary>> {
        let thread = self.thread.take()?;
        Some(thread.join().unwrap_or_else(|_| Err(Error::internal("the job's driver panicked"))))
    }
}

impl Drop for Driver {
    /// Rows that nobody wants: the job is stopped, and waited for, so that nothing of it is left behind.
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.cancel.cancel();
            let _ = self.join();
        }
    }
}
