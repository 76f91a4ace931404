//! The same plan on DataFusion's streaming executor: the second opinion of every test, and an escape.

use std::sync::Arc;
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, SendableRecordBatchStream, execute_stream_partitioned};

use super::cancel::{CancelFlag, interruptible};
use super::job::JobContext;
use super::sink::{ResultSink, TaskOutput, TaskSink};
use crate::bridge;
use crate::error::{Error, Result};
use crate::id::{AttemptId, TaskId};

/// Runs `plan` as one pipeline: all its partitions at once, their rows one after the other in the order of the
/// partitions. There is one result task, so a result is one file, and nothing is tried again.
pub fn run_pipelined(plan: &Arc<dyn ExecutionPlan>, sink: &ResultSink, job: &JobContext) -> Result<u64> {
    let (task, attempt) = (TaskId(0), AttemptId(0));
    let mut rows_sink = match sink {
        ResultSink::Rows(senders) => TaskSink::Rows {
            sender: senders.get(task)?,
            rows_seen: 0,
            cancel: job.cancel.clone(),
            enough: CancelFlag::default(),
        },
        ResultSink::Files(output) => {
            TaskSink::Files { output: Arc::clone(output), task, attempt, writer: None, preview: Vec::new() }
        }
    };
    let context: Arc<TaskContext> = Arc::clone(&job.context);
    let runtime = bridge::runtime(job.config.threads)?;
    let rows = bridge::drive(runtime.handle(), async {
        let mut n_rows = 0;
        let partitions = interruptible(Arc::clone(plan))
            .and_then(|plan| execute_stream_partitioned(plan, context))
            .map_err(Error::from_datafusion)?;
        for mut partition in partitions {
            while let Some(batch) = next(&mut partition, &job.cancel).await? {
                let batch = batch.map_err(Error::from_datafusion)?;
                if batch.num_rows() > 0 {
                    n_rows += batch.num_rows() as u64;
                    rows_sink.write(batch)?;
                }
            }
        }
        Ok::<_, Error>(n_rows)
    })?;
    if let (TaskOutput::File { file, preview }, ResultSink::Files(output)) = (rows_sink.finish()?, sink) {
        output.keep_preview(task, preview);
        if let Some(file) = file {
            output.committer.commit_task(file)?;
        }
    }
    Ok(rows)
}

/// How long nobody looks whether the job was stopped: the work is done by other threads, which wake this one for rows.
const TICK: Duration = Duration::from_millis(50);

async fn next(
    partition: &mut SendableRecordBatchStream,
    cancel: &CancelFlag,
) -> Result<Option<datafusion::common::Result<RecordBatch>>> {
    loop {
        match tokio::time::timeout(TICK, cancel.next(partition)).await {
            Ok(batch) => return batch,
            Err(_) => cancel.check()?,
        }
    }
}
