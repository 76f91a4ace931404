//! One run of a merge, in small batches: whoever merges many runs holds a batch of each.

use arrow::record_batch::RecordBatch;

use crate::error::Result;

use super::compact::compact_batch;
use super::kernel_error;
use super::measure::value_bytes;

/// Bytes of the batches that the runs of one merge hold together.
const MERGE_BYTES: u64 = 16 << 20;
const BATCH_BYTES: std::ops::RangeInclusive<u64> = (64 << 10)..=(1 << 20);

/// The batches of a run, cut so that those of all runs of a merge fit into a few megabytes; the pieces are copies.
#[derive(Debug)]
pub struct MergeInput<R> {
    run: R,
    batch_bytes: u64,
    /// What is left of a batch, and the rows of its pieces.
    rest: Option<(RecordBatch, usize)>,
}

impl<R> MergeInput<R> {
    /// For a merge of `n_runs`.
    pub fn new(run: R, n_runs: usize) -> Self {
        let batch_bytes = (MERGE_BYTES / n_runs.max(1) as u64).clamp(*BATCH_BYTES.start(), *BATCH_BYTES.end());
        MergeInput { run, batch_bytes, rest: None }
    }

    fn piece(&mut self, batch: RecordBatch, rows: usize) -> Result<RecordBatch> {
        let n_rows = batch.num_rows();
        let piece = batch.slice(0, rows.min(n_rows));
        if n_rows > rows {
            self.rest = Some((batch.slice(rows, n_rows - rows), rows));
        }
        compact_batch(&piece).map_err(kernel_error)
    }
}

impl<R: Iterator<Item = Result<RecordBatch>>> Iterator for MergeInput<R> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((batch, rows)) = self.rest.take() {
            return Some(self.piece(batch, rows));
        }
        let batch = match self.run.next()? {
            Ok(batch) => batch,
            error => return Some(error),
        };
        let n_pieces = value_bytes(&batch).div_ceil(self.batch_bytes).max(1);
        let rows = (batch.num_rows() as u64).div_ceil(n_pieces).max(1) as usize;
        Some(self.piece(batch, rows))
    }
}
