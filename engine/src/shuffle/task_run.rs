//! The output of one task that was gathered, by place: a sorted run that is read from the middle.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use crate::error::{Error, Result};

use super::kernel_error;
use super::writer::MapOutput;

/// The rows of one task in the order written. Owned: it keeps what it reads alive, also after a release.
#[derive(Debug, Clone)]
pub struct TaskRun {
    output: Arc<MapOutput>,
    /// Numbers of the batches in the spill file, which come first.
    spilled: Vec<u32>,
    n_batches: usize,
}

/// A place in a run: a batch, and a row of it, which may be the one behind its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunPlace {
    pub batch_idx: usize,
    pub row_idx: usize,
}

impl TaskRun {
    /// The run of an output that has one partition.
    pub(super) fn new(output: Arc<MapOutput>) -> Self {
        let spilled: Vec<u32> = output.spill.as_ref().map(|spill| spill.batches_of(0).collect()).unwrap_or_default();
        let n_batches = spilled.len() + output.memory.first().map_or(0, Vec::len);
        TaskRun { output, spilled, n_batches }
    }

    /// Batches as they are stored, none of which is empty.
    pub fn n_batches(&self) -> usize {
        self.n_batches
    }

    /// One of the batches.
    pub fn batch(&self, batch_idx: usize) -> Result<RecordBatch> {
        if let (Some(spill), Some(&stored)) = (&self.output.spill, self.spilled.get(batch_idx)) {
            return spill.batch(stored);
        }
        let held = self.output.memory.first().and_then(|batches| batches.get(batch_idx - self.spilled.len()));
        held.cloned().ok_or_else(|| Error::internal(format!("batch {batch_idx} of {} in a run", self.n_batches)))
    }

    /// Some columns of one of the batches; `columns` ascend.
    pub fn columns_of_batch(&self, batch_idx: usize, columns: &[usize]) -> Result<RecordBatch> {
        if let (Some(spill), Some(&stored)) = (&self.output.spill, self.spilled.get(batch_idx)) {
            return spill.columns_of_batch(stored, columns);
        }
        self.batch(batch_idx)?.project(columns).map_err(kernel_error)
    }

    /// Says that nobody needs a batch for now, so that it need not stay in memory.
    pub fn release(&self, batch_idx: usize) {
        if let (Some(spill), Some(&stored)) = (&self.output.spill, self.spilled.get(batch_idx)) {
            spill.release(stored);
        }
    }

    /// The rows from one place up to another.
    pub fn rows(self, start: RunPlace, end: RunPlace) -> impl Iterator<Item = Result<RecordBatch>> + Send {
        (start.batch_idx..self.n_batches.min(end.batch_idx + 1)).filter_map(move |batch_idx| {
            if batch_idx > start.batch_idx {
                self.release(batch_idx - 1);
            }
            let batch = match self.batch(batch_idx) {
                Ok(batch) => batch,
                Err(error) => return Some(Err(error)),
            };
            let first = if batch_idx == start.batch_idx { start.row_idx } else { 0 };
            let last = if batch_idx == end.batch_idx { end.row_idx } else { batch.num_rows() };
            (first < last).then(|| Ok(batch.slice(first, last - first)))
        })
    }
}
