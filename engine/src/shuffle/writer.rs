//! Map output under construction, and finished.

use std::sync::Arc;

use arrow::array::UInt32Array;
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use crate::error::{Error, Result};
use crate::id::{AttemptId, StageId, TaskId};

use super::budget::Reservation;
use super::buffer::{Keep, RowBuffer};
use super::compact::compact_batch;
use super::kernel_error;
use super::measure::value_bytes;
use super::partitioner::PartitionedRows;
use super::row_builder::BatchRows;
use super::spill::{SpillDirectory, SpillFile, SpillWriter};

/// Bytes that a writer may hold beyond what the budget grants, so that a budget of nothing does not spill each batch
/// by itself. One writer a thread, so the overshoot is small; a finished output holds nothing beyond its grant. While a
/// batch is divided there may be [`UNRESERVED_BATCH_BYTES`] more.
const UNRESERVED_BYTES_MAX: usize = 256 << 10;

/// The budget is asked for multiples of this, since all threads meet there.
const GRANT_BYTES: usize = 64 << 10;

/// Bytes that the rows of one batch may add before the budget is asked for them.
const UNRESERVED_BATCH_BYTES: usize = 1 << 20;

/// One attempt's output under construction. Rows arrive assigned to partitions. Dropped unfinished, it leaves nothing.
pub struct MapOutputWriter {
    stage: StageId,
    task: TaskId,
    attempt: AttemptId,
    schema: SchemaRef,
    buffers: Vec<RowBuffer>,
    totals: Vec<Totals>,
    /// Bytes in `buffers`.
    held_bytes: usize,
    reservation: Reservation,
    directory: Arc<SpillDirectory>,
    spill: Option<SpillWriter>,
}

/// Rows of one partition of one output, and the bytes of their values as `measure` counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub rows: u64,
    pub value_bytes: u64,
}

impl Totals {
    fn add(&mut self, n_rows: usize, value_bytes: u64) {
        self.rows += n_rows as u64;
        self.value_bytes += value_bytes;
    }
}

/// A batch's own schema may differ in metadata.
fn with_schema(schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), batch.columns().to_vec(), &options).map_err(kernel_error)
}

fn no_partition(partition: usize, n_partitions: usize) -> Error {
    Error::internal(format!("shuffle partition {partition} of {n_partitions}"))
}

impl MapOutputWriter {
    pub(super) fn new(
        (stage, task, attempt): (StageId, TaskId, AttemptId),
        schema: SchemaRef,
        n_partitions: usize,
        reservation: Reservation,
        directory: Arc<SpillDirectory>,
    ) -> Self {
        MapOutputWriter {
            stage,
            task,
            attempt,
            schema,
            buffers: (0..n_partitions).map(|_| RowBuffer::new(Keep::Long)).collect(),
            totals: vec![Totals::default(); n_partitions],
            held_bytes: 0,
            reservation,
            directory,
            spill: None,
        }
    }

    /// Appends rows to one partition.
    ///
    /// Shape: the columns of the schema given at the start; an empty batch is fine.
    /// Errors: [`codes::DISK_LIMIT`](crate::error::codes::DISK_LIMIT) and
    /// [`codes::STORAGE`](crate::error::codes::STORAGE) if it has to spill and cannot.
    pub fn write(&mut self, partition: usize, batch: RecordBatch) -> Result<()> {
        let n_partitions = self.buffers.len();
        let Some(buffer) = self.buffers.get_mut(partition) else {
            return Err(no_partition(partition, n_partitions));
        };
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let batch = compact_batch(&with_schema(&self.schema, &batch)?).map_err(kernel_error)?;
        let bytes = value_bytes(&batch);
        self.totals[partition].add(batch.num_rows(), bytes);
        self.held_bytes -= buffer.held_bytes();
        buffer.push(&self.schema, batch, bytes)?;
        self.held_bytes += buffer.held_bytes();
        self.reserve()
    }

    /// Copies the rows of a batch, each to the partition it is assigned to.
    ///
    /// Shape: as for [`write`](Self::write); `rows` are of this batch.
    /// Errors: as for [`write`](Self::write).
    pub fn write_rows(&mut self, batch: &RecordBatch, rows: &PartitionedRows) -> Result<()> {
        let n_partitions = self.buffers.len();
        let batch = with_schema(&self.schema, batch)?;
        let source = BatchRows::new(&batch);
        let mut bytes_before = self.held_bytes;
        for (partition, rows) in rows.iter() {
            if rows.len() == batch.num_rows() {
                return self.write(partition, batch);
            }
            let Some(source) = &source else {
                let part = take_record_batch(&batch, &UInt32Array::from(rows.to_vec())).map_err(kernel_error)?;
                self.write(partition, part)?;
                continue;
            };
            let buffer = self.buffers.get_mut(partition).ok_or_else(|| no_partition(partition, n_partitions))?;
            let bytes = source.value_bytes(rows);
            self.totals[partition].add(rows.len(), bytes);
            self.held_bytes -= buffer.held_bytes();
            buffer.pick(&self.schema, source, rows, bytes)?;
            self.held_bytes += buffer.held_bytes();
            if self.held_bytes > bytes_before + UNRESERVED_BATCH_BYTES {
                self.reserve()?;
                bytes_before = self.held_bytes;
            }
        }
        self.reserve()
    }

    /// Asks for the memory that is held, and spills where it is refused.
    fn reserve(&mut self) -> Result<()> {
        let wanted_bytes = self.held_bytes.next_multiple_of(GRANT_BYTES);
        if self.reservation.try_grow_to(wanted_bytes) || self.held_bytes <= UNRESERVED_BYTES_MAX {
            return Ok(());
        }
        self.spill()
    }

    /// Closes the output: counted, still invisible.
    pub fn finish(mut self) -> Result<MapOutput> {
        for buffer in &mut self.buffers {
            buffer.seal(&self.schema)?;
        }
        self.held_bytes = self.buffers.iter().map(RowBuffer::held_bytes).sum();
        if !self.reservation.try_grow_to(self.held_bytes) {
            self.spill()?;
        }
        self.reservation.shrink_to(self.held_bytes);
        let memory = self.buffers.iter_mut().map(|buffer| buffer.take_all(&self.schema)).collect::<Result<Vec<_>>>()?;
        Ok(MapOutput {
            stage: self.stage,
            task: self.task,
            attempt: self.attempt,
            schema: self.schema,
            spill: self.spill.map(SpillWriter::finish).transpose()?,
            memory,
            totals: self.totals,
            _reservation: self.reservation,
        })
    }

    /// Writes everything held as one run.
    fn spill(&mut self) -> Result<()> {
        let spill = match &mut self.spill {
            Some(spill) => spill,
            none => none.insert(SpillWriter::create(
                Arc::clone(&self.directory),
                Arc::clone(&self.schema),
                self.buffers.len(),
            )?),
        };
        for buffer in &mut self.buffers {
            spill.write_partition(&buffer.take_all(&self.schema)?)?;
        }
        self.held_bytes = 0;
        self.reservation.shrink_to(0);
        Ok(())
    }
}

/// A finished attempt's output: invisible until it is committed. Dropping the last holder frees memory and file.
#[derive(Debug)]
pub struct MapOutput {
    pub(super) stage: StageId,
    pub(super) task: TaskId,
    attempt: AttemptId,
    pub(super) schema: SchemaRef,
    /// What came first.
    pub(super) spill: Option<SpillFile>,
    /// What came after it: batches of each partition.
    pub(super) memory: Vec<Vec<RecordBatch>>,
    pub(super) totals: Vec<Totals>,
    _reservation: Reservation,
}

impl MapOutput {
    pub fn stage(&self) -> StageId {
        self.stage
    }

    pub fn task(&self) -> TaskId {
        self.task
    }

    pub fn attempt(&self) -> AttemptId {
        self.attempt
    }

    /// Rows of all partitions.
    pub fn rows(&self) -> u64 {
        self.totals.iter().map(|totals| totals.rows).sum()
    }

    /// Bytes of the file that was spilled to; 0 if all is in memory.
    pub fn spilled_bytes(&self) -> u64 {
        self.spill.as_ref().map_or(0, SpillFile::len)
    }
}
