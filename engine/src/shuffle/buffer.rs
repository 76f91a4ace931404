//! Rows cut into batches of a fixed number of rows, wherever they were cut before.

use std::collections::VecDeque;

use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use crate::error::Result;

use super::compact::compact_batch;
use super::kernel_error;
use super::row_builder::{BatchRows, RowBuilder};

/// Rows of a full batch.
pub(super) const BATCH_ROWS: usize = 8192;

/// Bytes of values after which a batch is full whatever its rows, so that text of 32-bit offsets cannot overflow.
const BATCH_BYTES_MAX: u64 = 64 << 20;

/// Pieces of fewer rows are crumbs: an array costs some hundred bytes before its first value.
const CRUMB_ROWS: usize = 64;

/// Crumbs in a row that are put together.
const CRUMBS_MAX: usize = 64;

/// Whether batches stay for long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// What is cut in two is copied, so that neither half holds on to the other.
    Long,
    /// Halves share memory.
    Briefly,
}

/// Rows in their order: full batches, then pieces of a batch that is not full yet, then rows picked one by one.
///
/// Where the cuts lie depends on the rows alone, except for rows so long that [`BATCH_BYTES_MAX`] cuts.
#[derive(Debug)]
pub(super) struct RowBuffer {
    keep: Keep,
    full: VecDeque<RecordBatch>,
    pieces: Vec<RecordBatch>,
    picked: Option<RowBuilder>,
    /// Rows that are not in a full batch.
    piece_rows: usize,
    piece_bytes: u64,
    /// How many of the last pieces are crumbs.
    n_crumbs: usize,
    /// Bytes of memory that all of it holds.
    held_bytes: usize,
}

impl RowBuffer {
    pub fn new(keep: Keep) -> Self {
        RowBuffer {
            keep,
            full: VecDeque::new(),
            pieces: Vec::new(),
            picked: None,
            piece_rows: 0,
            piece_bytes: 0,
            n_crumbs: 0,
            held_bytes: 0,
        }
    }

    /// Copies some rows of a batch, whose values take `value_bytes`.
    pub fn pick(&mut self, schema: &SchemaRef, batch: &BatchRows, mut rows: &[u32], value_bytes: u64) -> Result<()> {
        if self.piece_rows > 0 && self.piece_bytes + value_bytes > BATCH_BYTES_MAX {
            self.seal(schema)?;
        }
        while !rows.is_empty() {
            let (picked, rest) = rows.split_at(rows.len().min(BATCH_ROWS - self.piece_rows));
            let builder = self.picked.get_or_insert_with(|| RowBuilder::new(batch));
            self.held_bytes -= builder.held_bytes();
            builder.append(batch, picked).map_err(kernel_error)?;
            self.held_bytes += builder.held_bytes();
            self.piece_rows += picked.len();
            if rest.is_empty() {
                self.piece_bytes += value_bytes;
            }
            if self.piece_rows == BATCH_ROWS {
                self.seal(schema)?;
            }
            rows = rest;
        }
        Ok(())
    }

    /// Appends rows whose values take `value_bytes`.
    pub fn push(&mut self, schema: &SchemaRef, mut batch: RecordBatch, value_bytes: u64) -> Result<()> {
        if self.piece_rows > 0 && self.piece_bytes + value_bytes > BATCH_BYTES_MAX {
            self.seal(schema)?;
        }
        self.finish_picked(schema)?;
        while self.piece_rows + batch.num_rows() >= BATCH_ROWS {
            let n_rows = BATCH_ROWS - self.piece_rows;
            let rest = batch.num_rows() - n_rows;
            if rest == 0 {
                self.push_piece(batch, value_bytes);
                return self.seal(schema);
            }
            let (mut head, mut tail) = (batch.slice(0, n_rows), batch.slice(n_rows, rest));
            if self.keep == Keep::Long {
                head = compact_batch(&head).map_err(kernel_error)?;
                tail = compact_batch(&tail).map_err(kernel_error)?;
            }
            self.push_piece(head, 0);
            self.seal(schema)?;
            batch = tail;
        }
        if batch.num_rows() > 0 {
            self.push_piece(batch, value_bytes);
        }
        if self.n_crumbs >= CRUMBS_MAX { self.sweep_crumbs(schema) } else { Ok(()) }
    }

    /// Ends the batch that is not full.
    pub fn seal(&mut self, schema: &SchemaRef) -> Result<()> {
        self.finish_picked(schema)?;
        let pieces = std::mem::take(&mut self.pieces);
        self.piece_rows = 0;
        self.piece_bytes = 0;
        self.n_crumbs = 0;
        if !pieces.is_empty() {
            let batch = self.join(schema, pieces)?;
            self.full.push_back(batch);
        }
        Ok(())
    }

    /// The next full batch.
    pub fn pop(&mut self) -> Option<RecordBatch> {
        let batch = self.full.pop_front()?;
        self.held_bytes -= batch.get_array_memory_size();
        Some(batch)
    }

    /// Everything, the last batch being whatever is left.
    pub fn take_all(&mut self, schema: &SchemaRef) -> Result<Vec<RecordBatch>> {
        self.seal(schema)?;
        self.held_bytes = 0;
        Ok(std::mem::take(&mut self.full).into())
    }

    /// Bytes of memory held.
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Makes a piece of the rows that were picked.
    fn finish_picked(&mut self, schema: &SchemaRef) -> Result<()> {
        if let Some(builder) = self.picked.take() {
            self.held_bytes -= builder.held_bytes();
            let piece = builder.finish(schema).map_err(kernel_error)?;
            self.held_bytes += piece.get_array_memory_size();
            self.n_crumbs = if piece.num_rows() < CRUMB_ROWS { self.n_crumbs + 1 } else { 0 };
            self.pieces.push(piece);
        }
        Ok(())
    }

    fn push_piece(&mut self, batch: RecordBatch, value_bytes: u64) {
        self.piece_rows += batch.num_rows();
        self.piece_bytes += value_bytes;
        self.n_crumbs = if batch.num_rows() < CRUMB_ROWS { self.n_crumbs + 1 } else { 0 };
        self.held_bytes += batch.get_array_memory_size();
        self.pieces.push(batch);
    }

    /// Makes one piece of the crumbs at the end; each row is copied here once at most.
    fn sweep_crumbs(&mut self, schema: &SchemaRef) -> Result<()> {
        let crumbs = self.pieces.split_off(self.pieces.len() - self.n_crumbs);
        let piece = self.join(schema, crumbs)?;
        // Or its text would lie in as many buffers as there were crumbs.
        let compacted = compact_batch(&piece).map_err(kernel_error)?;
        self.held_bytes = self.held_bytes - piece.get_array_memory_size() + compacted.get_array_memory_size();
        self.pieces.push(compacted);
        self.n_crumbs = 0;
        Ok(())
    }

    fn join(&mut self, schema: &SchemaRef, mut pieces: Vec<RecordBatch>) -> Result<RecordBatch> {
        if pieces.len() == 1 {
            return Ok(pieces.remove(0));
        }
        let joined = concat_batches(schema, &pieces).map_err(kernel_error)?;
        let pieces_bytes: usize = pieces.iter().map(RecordBatch::get_array_memory_size).sum();
        self.held_bytes = self.held_bytes - pieces_bytes + joined.get_array_memory_size();
        Ok(joined)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, Int32Array};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn rows(range: std::ops::Range<i32>) -> RecordBatch {
        let column: ArrayRef = Arc::new(Int32Array::from_iter_values(range));
        RecordBatch::try_from_iter([("n", column)]).unwrap()
    }

    #[test]
    fn cuts_depend_on_rows_alone() {
        for keep in [Keep::Long, Keep::Briefly] {
            for step in [7, 1000, 5000, 8192, 20_000, 30_000] {
                let mut buffer = RowBuffer::new(keep);
                let schema = rows(0..1).schema();
                for start in (0..30_000).step_by(step) {
                    buffer.push(&schema, rows(start..(start + step as i32).min(30_000)), 0).unwrap();
                }
                let batches = buffer.take_all(&schema).unwrap();
                let n_rows: Vec<usize> = batches.iter().map(RecordBatch::num_rows).collect();
                assert_eq!(n_rows, [8192, 8192, 8192, 5424], "{step}");
                let values = batches.iter().flat_map(|b| b.column(0).as_primitive::<Int32Type>().values().to_vec());
                assert!(values.eq(0..30_000));
                assert_eq!(buffer.held_bytes(), 0);
            }
        }
    }

    #[test]
    fn crumbs_do_not_waste_memory() {
        let mut buffer = RowBuffer::new(Keep::Long);
        let schema = rows(0..1).schema();
        (0..8000).for_each(|row| buffer.push(&schema, rows(row..row + 1), 4).unwrap());
        assert!(buffer.held_bytes() < 120_000, "{} bytes for 32,000", buffer.held_bytes());
    }

    #[test]
    fn long_rows_fill_a_batch_early() {
        let mut buffer = RowBuffer::new(Keep::Long);
        let schema = rows(0..1).schema();
        buffer.push(&schema, rows(0..10), BATCH_BYTES_MAX / 2).unwrap();
        buffer.push(&schema, rows(10..20), BATCH_BYTES_MAX).unwrap();
        assert_eq!(buffer.pop().unwrap().num_rows(), 10);
        assert!(buffer.pop().is_none());
    }
}
