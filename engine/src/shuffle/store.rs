//! All map output of one job.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::datatypes::SchemaRef;

use crate::id::{AttemptId, JobId, StageId, TaskId};

use super::budget::{MemoryBudget, Reservation};
use super::measure::row_bytes;
use super::reader::ShuffleReader;
use super::spill::SpillDirectory;
use super::task_run::TaskRun;
use super::writer::{MapOutput, MapOutputWriter, Totals};

/// What one shuffle partition of a stage holds, over all tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PartitionStats {
    pub rows: u64,
    /// Widths of fixed-width fields, lengths of text, a bit of validity for each field: the same in memory or
    /// spilled, for any text layout and however rows were batched. The number of reducers follows from it.
    pub bytes: u64,
}

/// The committed map outputs of one job. Shared by all its tasks; dropping it frees what nobody reads any more.
pub struct ShuffleStore {
    budget: Arc<dyn MemoryBudget>,
    directory: Arc<SpillDirectory>,
    committed: Mutex<BTreeMap<(StageId, TaskId), Arc<MapOutput>>>,
}

impl ShuffleStore {
    /// Makes an empty store. Spill files go to a directory `shuffle-<job>` in `temp_dir`, made when first needed.
    pub fn new(temp_dir: &Path, job: JobId, budget: Arc<dyn MemoryBudget>) -> Self {
        ShuffleStore { budget, directory: Arc::new(SpillDirectory::new(temp_dir, job)), committed: Mutex::default() }
    }

    /// Begins the output of one attempt.
    pub fn start(
        &self,
        stage: StageId,
        task: TaskId,
        attempt: AttemptId,
        schema: SchemaRef,
        n_partitions: usize,
    ) -> MapOutputWriter {
        let reservation = Reservation::new(Arc::clone(&self.budget));
        MapOutputWriter::new((stage, task, attempt), schema, n_partitions, reservation, Arc::clone(&self.directory))
    }

    /// Makes an output visible, unless another attempt of its task was committed before: then it is dropped, and
    /// that is not an error. Tells whether it became visible.
    pub fn commit(&self, output: MapOutput) -> bool {
        match self.lock().entry((output.stage, output.task)) {
            Entry::Vacant(slot) => {
                slot.insert(Arc::new(output));
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// Reads partitions of a stage over all tasks that are committed by now; see [`ShuffleReader`] for the order.
    pub fn read(&self, stage: StageId, partitions: Range<u32>) -> ShuffleReader {
        ShuffleReader::new(self.outputs(stage).into(), partitions)
    }

    /// Reads all partitions of one task's output; nothing if it is not committed.
    ///
    /// For gathers, where each task's output is one sorted run.
    pub fn read_task(&self, stage: StageId, task: TaskId) -> ShuffleReader {
        let output = self.lock().get(&(stage, task)).cloned();
        let n_partitions = output.as_ref().map_or(0, |output| output.totals.len()) as u32;
        ShuffleReader::new(output.into_iter().collect(), 0..n_partitions)
    }

    /// The output of one task of a gather, to be read from any place; `None` if it is not committed.
    pub fn run(&self, stage: StageId, task: TaskId) -> Option<TaskRun> {
        self.lock().get(&(stage, task)).cloned().map(TaskRun::new)
    }

    /// The tasks of a stage whose output is committed, in order.
    pub fn tasks(&self, stage: StageId) -> Vec<TaskId> {
        self.outputs(stage).iter().map(|output| output.task).collect()
    }

    /// What each partition of a stage holds by now; empty if no task is committed.
    pub fn stats(&self, stage: StageId) -> Vec<PartitionStats> {
        let outputs = self.outputs(stage);
        let Some(n_columns) = outputs.first().map(|output| output.schema.fields().len()) else {
            return Vec::new();
        };
        let n_partitions = outputs.iter().map(|output| output.totals.len()).max().unwrap_or(0);
        let mut sums = vec![Totals::default(); n_partitions];
        for totals in outputs.iter().map(|output| &output.totals) {
            for (sum, partition) in sums.iter_mut().zip(totals) {
                sum.rows += partition.rows;
                sum.value_bytes += partition.value_bytes;
            }
        }
        let stats =
            |sum: Totals| PartitionStats { rows: sum.rows, bytes: row_bytes(sum.value_bytes, sum.rows, n_columns) };
        sums.into_iter().map(stats).collect()
    }

    /// Forgets a stage's output, once all its consumers are done. Readers that are still open can finish.
    pub fn release(&self, stage: StageId) {
        let released = {
            let mut committed = self.lock();
            let keys: Vec<_> = committed.range(tasks_of(stage)).map(|(key, _)| *key).collect();
            keys.iter().filter_map(|key| committed.remove(key)).collect::<Vec<_>>()
        };
        // Freed here, where nobody waits for the lock.
        drop(released);
    }

    /// Bytes written to finished spill files so far, released ones included.
    pub fn spilled_bytes(&self) -> u64 {
        self.directory.bytes()
    }

    fn outputs(&self, stage: StageId) -> Vec<Arc<MapOutput>> {
        self.lock().range(tasks_of(stage)).map(|(_, output)| Arc::clone(output)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(StageId, TaskId), Arc<MapOutput>>> {
        self.committed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tasks_of(stage: StageId) -> std::ops::RangeInclusive<(StageId, TaskId)> {
    (stage, TaskId(0))..=(stage, TaskId(u32::MAX))
}

impl fmt::Debug for ShuffleStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShuffleStore").field("directory", &self.directory).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
