//! One attempt of one task: a partition of a stage's plan, driven to its end on the thread that calls.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use tokio::runtime::Handle;

use super::cancel::CancelFlag;
use super::sink::{TaskOutput, TaskSink};
use crate::bridge;
use crate::error::{Error, Result, codes};

/// What an attempt needs.
pub(super) struct Attempt {
    pub plan: Arc<dyn ExecutionPlan>,
    pub partition: usize,
    pub context: Arc<TaskContext>,
    pub runtime: Handle,
    /// The whole job.
    pub cancel: CancelFlag,
    /// This stage: its consumers have all the rows that they asked for.
    pub enough: CancelFlag,
    pub sink: TaskSink,
}

/// How an attempt ended that did not fail.
pub(super) struct Finished {
    pub output: TaskOutput,
    pub rows: u64,
}

impl Attempt {
    /// Runs the attempt. `None`: stopped early because nobody needs its rows.
    ///
    /// A panic inside becomes an error of kind `TaskFailed`; the process goes on.
    pub fn run(self) -> Result<Option<Finished>> {
        match catch_unwind(AssertUnwindSafe(|| self.drive())) {
            Ok(result) => result,
            Err(panic) => {
                let text = panic
                    .downcast_ref::<&str>()
                    .map(|text| text.to_string())
                    .or_else(|| panic.downcast_ref::<String>().cloned())
                    .unwrap_or_else(|| "no message".to_string());
                Err(Error::new(codes::TASK_PANICKED, format!("a task panicked: {text}"))
                    .with_hint("this is a bug in logq; please report it with the script"))
            }
        }
    }

    fn drive(self) -> Result<Option<Finished>> {
        let Attempt { plan, partition, context, runtime, cancel, enough, mut sink } = self;
        bridge::drive(&runtime, async move {
            let mut rows = plan.execute(partition, context).map_err(Error::from_datafusion)?;
            let mut n_rows = 0;
            loop {
                if enough.is_cancelled() {
                    return Ok(None);
                }
                let Some(batch) = cancel.next(&mut rows).await? else {
                    break;
                };
                let batch = batch.map_err(Error::from_datafusion)?;
                if batch.num_rows() > 0 {
                    n_rows += batch.num_rows() as u64;
                    sink.write(batch)?;
                }
            }
            Ok(Some(Finished { output: sink.finish()?, rows: n_rows }))
        })
    }
}
