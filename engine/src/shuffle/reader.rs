//! Reading map output: a range of partitions, over all tasks of a stage, in an order that never changes.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;

use crate::error::Result;

use super::buffer::{BATCH_ROWS, Keep, RowBuffer};
use super::kernel_error;
use super::measure::value_bytes;
use super::writer::MapOutput;

/// Batches of fewer rows are put together; larger ones are passed on without a copy.
const SMALL_BATCH_ROWS: usize = BATCH_ROWS / 8;

/// Text of 32-bit offsets must not overflow when small batches are put together.
const GATHERED_BYTES_MAX: u64 = 64 << 20;

/// The rows of a range of partitions: for each partition, for each task, in the order written.
///
/// Shape: no batch is empty; no batch at all if there are no rows. Where batches are cut depends on rows and tasks
/// alone, not on what was spilled. Owned: it keeps what it reads alive, also after a release.
#[derive(Debug)]
pub struct ShuffleReader {
    /// In task order.
    outputs: Arc<[Arc<MapOutput>]>,
    partitions: Range<u32>,
    /// The next output of the first partition in `partitions`.
    output_idx: usize,
    source: Option<Source>,
    gathered: Vec<RecordBatch>,
    gathered_rows: usize,
    gathered_bytes: u64,
    /// A large batch that waits for the small ones before it.
    large: Option<RecordBatch>,
    is_done: bool,
}

/// One partition of one output.
#[derive(Debug)]
struct Source {
    output: Arc<MapOutput>,
    partition: usize,
    /// Numbers of batches in the spill file.
    spilled: VecDeque<u32>,
    /// The batch of the spill file that was given last.
    being_read: Option<u32>,
    memory_idx: usize,
    /// Cuts what was spilled as it would have been cut in memory; unused if nothing was.
    rows: RowBuffer,
    is_sealed: bool,
}

impl ShuffleReader {
    pub(super) fn new(outputs: Arc<[Arc<MapOutput>]>, partitions: Range<u32>) -> Self {
        ShuffleReader {
            outputs,
            partitions,
            output_idx: 0,
            source: None,
            gathered: Vec::new(),
            gathered_rows: 0,
            gathered_bytes: 0,
            large: None,
            is_done: false,
        }
    }

    /// The next batch as it was held by its map output.
    fn next_held(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(source) = &mut self.source {
                match source.next_batch()? {
                    Some(batch) => return Ok(Some(batch)),
                    None => self.source = None,
                }
            }
            if self.partitions.is_empty() {
                return Ok(None);
            }
            match self.outputs.get(self.output_idx) {
                Some(output) => {
                    self.source = Source::open(output, self.partitions.start as usize);
                    self.output_idx += 1;
                }
                None => {
                    self.partitions.start += 1;
                    self.output_idx = 0;
                }
            }
        }
    }

    /// Puts small batches together, so that a stage of many tasks with few rows each is not read in crumbs.
    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(large) = self.large.take() {
            return Ok(Some(large));
        }
        while let Some(batch) = self.next_held()? {
            if batch.num_rows() >= SMALL_BATCH_ROWS {
                if self.gathered.is_empty() {
                    return Ok(Some(batch));
                }
                self.large = Some(batch);
                return self.take_gathered();
            }
            let bytes = value_bytes(&batch);
            let is_full =
                self.gathered_rows + batch.num_rows() > BATCH_ROWS || self.gathered_bytes + bytes > GATHERED_BYTES_MAX;
            let full = if is_full { self.take_gathered()? } else { None };
            self.gathered_rows += batch.num_rows();
            self.gathered_bytes += bytes;
            self.gathered.push(batch);
            if full.is_some() {
                return Ok(full);
            }
        }
        self.take_gathered()
    }

    fn take_gathered(&mut self) -> Result<Option<RecordBatch>> {
        self.gathered_rows = 0;
        self.gathered_bytes = 0;
        let mut batches = std::mem::take(&mut self.gathered);
        match batches.len() {
            0 | 1 => Ok(batches.pop()),
            _ => concat_batches(&batches[0].schema(), &batches).map(Some).map_err(kernel_error),
        }
    }
}

impl Iterator for ShuffleReader {
    type Item = Result<RecordBatch>;

    /// After an error there is nothing more.
    fn next(&mut self) -> Option<Result<RecordBatch>> {
        if self.is_done {
            return None;
        }
        let next = self.next_batch().transpose();
        self.is_done = !matches!(next, Some(Ok(_)));
        next
    }
}

impl Source {
    fn open(output: &Arc<MapOutput>, partition: usize) -> Option<Source> {
        output.totals.get(partition).filter(|totals| totals.rows > 0)?;
        Some(Source {
            output: Arc::clone(output),
            partition,
            spilled: output.spill.as_ref().map(|spill| spill.batches_of(partition).collect()).unwrap_or_default(),
            being_read: None,
            memory_idx: 0,
            rows: RowBuffer::new(Keep::Briefly),
            is_sealed: false,
        })
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        if self.output.spill.is_none() {
            return self.next_stored();
        }
        loop {
            if let Some(batch) = self.rows.pop() {
                return Ok(Some(batch));
            }
            if self.is_sealed {
                return Ok(None);
            }
            match self.next_stored()? {
                Some(batch) => {
                    let bytes = value_bytes(&batch);
                    self.rows.push(&self.output.schema, batch, bytes)?;
                }
                None => {
                    self.rows.seal(&self.output.schema)?;
                    self.is_sealed = true;
                }
            }
        }
    }

    /// The next batch as it is stored: from the file, then from memory.
    fn next_stored(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(spill) = &self.output.spill {
            if let Some(read) = self.being_read.take() {
                spill.release(read);
            }
            if let Some(batch_idx) = self.spilled.pop_front() {
                self.being_read = Some(batch_idx);
                return spill.batch(batch_idx).map(Some);
            }
        }
        let batch = self.output.memory[self.partition].get(self.memory_idx).cloned();
        self.memory_idx += 1;
        Ok(batch)
    }
}
