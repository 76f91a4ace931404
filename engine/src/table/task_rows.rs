//! The rows of one map task's splits, read and decoded by whoever asks for the next batch.
//!
//! Splits follow each other without a seam: one deserializer, the same memory, and batches that go on over the end of a
//! file, so that many small files cost little more than a large one.

use std::sync::Arc;

use arrow::compute::BatchCoalescer;
use arrow::record_batch::RecordBatch;
use arrow_schema::ArrowError;

use super::report::{ScanReport, SplitReport};
use super::scan::LogSource;
use super::spare_buffers::SpareBuffers;
use crate::config::InputConfig;
use crate::error::{Error, Result};
use crate::input::{self, InputSplit, LineOptions, ReadBuffers, RecordBlock, RecordReader};
use crate::serdes::Deserializer;
use crate::storage::{FileMeta, ReadAhead};

/// Gives the batches of one attempt, and tells the report of each split when it has been read.
pub(super) struct TaskRows {
    splits: Arc<[InputSplit]>,
    /// Of the split to open next.
    next_split: usize,
    files: ReadAhead,
    lines: LineOptions,
    input: InputConfig,
    reading: Option<OpenSplit>,
    /// Of the split before, or of a task before.
    buffers: ReadBuffers,
    spare: Arc<SpareBuffers>,
    deserializer: Box<dyn Deserializer>,
    /// Records that are decoded at a time.
    records_max: usize,
    /// Puts together small batches: what a predicate left of large ones, which must not hold many blocks in memory, and
    /// what small files have.
    coalescer: Option<BatchCoalescer>,
    report: Arc<ScanReport>,
    partition: usize,
    /// What was told to the report so far.
    rows_filtered: u64,
    all_decoded: bool,
    ended: bool,
}

/// The split that is being read.
struct OpenSplit {
    file: Arc<FileMeta>,
    reader: Box<dyn RecordReader>,
    /// The block at hand and its first record that was not decoded yet.
    block: Option<(RecordBlock, usize)>,
    /// Records and bytes that were told to the report's progress.
    told: (u64, u64),
}

impl TaskRows {
    /// Opens no file yet.
    pub fn new(
        source: &LogSource,
        batch_rows: usize,
        partition: usize,
        splits: Arc<[InputSplit]>,
        files: ReadAhead,
    ) -> Result<Self> {
        let (columns, filters) = (source.columns_projected(), source.filters());
        // What a predicate left of a batch is copied out of its block; a whole batch is worth a copy only if it is small.
        let rows_left_alone = if filters.is_empty() { batch_rows.div_ceil(16) } else { batch_rows.div_ceil(2) };
        let coalescer = (!filters.is_empty() || splits.len() > 1).then(|| {
            let schema = source.file_schema().project(columns).map_err(not_put_together)?;
            Ok(BatchCoalescer::new(Arc::new(schema), batch_rows)
                .with_biggest_coalesce_batch_size(Some(rows_left_alone)))
        });
        Ok(TaskRows {
            splits,
            files,
            next_split: 0,
            lines: source.lines,
            input: source.input.clone(),
            reading: None,
            buffers: source.spare.take(),
            spare: Arc::clone(&source.spare),
            deserializer: source.serde.deserializer(columns, filters)?,
            records_max: if filters.is_empty() { batch_rows } else { source.batch_rows },
            coalescer: coalescer.transpose()?,
            report: Arc::clone(&source.report),
            partition,
            rows_filtered: 0,
            all_decoded: false,
            ended: false,
        })
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.coalescer.as_mut().and_then(BatchCoalescer::next_completed_batch) {
                return Ok(Some(batch));
            }
            if self.all_decoded {
                return Ok(None);
            }
            let decoded = self.decode()?;
            self.all_decoded = decoded.is_none();
            let Some(coalescer) = &mut self.coalescer else {
                return Ok(decoded);
            };
            match decoded {
                Some(batch) => coalescer.push_batch(batch),
                None => coalescer.finish_buffered_batch(),
            }
            .map_err(not_put_together)?;
        }
    }

    /// The rows of the next records, which may be none; `None` after the last.
    fn decode(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let Some(reading) = &mut self.reading else {
                if !self.open_next()? {
                    return Ok(None);
                }
                continue;
            };
            if let Some((block, record_idx)) = reading.block.take() {
                let end = block.records.len().min(record_idx + self.records_max);
                let batch = self
                    .deserializer
                    .deserialize(&block, record_idx..end)
                    .map_err(|error| error.in_file(reading.file.path.display().to_string(), None, None))?;
                if end < block.records.len() {
                    reading.block = Some((block, end));
                }
                return Ok(Some(batch));
            }
            reading.block = reading.reader.next_block()?.map(|block| (block, 0));
            let read = reading.reader.counters();
            self.report.advance(read.records - reading.told.0, read.bytes_read - reading.told.1);
            reading.told = (read.records, read.bytes_read);
            if reading.block.is_none() {
                self.close();
            }
        }
    }

    /// Opens the next split, if there is one.
    fn open_next(&mut self) -> Result<bool> {
        let Some(split) = self.splits.get(self.next_split) else {
            return Ok(false);
        };
        let buffers = std::mem::take(&mut self.buffers);
        let reader = input::open_split(split, &self.files, &self.lines, &self.input, buffers)?;
        self.reading = Some(OpenSplit { file: Arc::clone(&split.file), reader, block: None, told: (0, 0) });
        self.next_split += 1;
        Ok(true)
    }

    /// Tells the report what became of the split that is open.
    fn close(&mut self) {
        let Some(OpenSplit { file, mut reader, .. }) = self.reading.take() else {
            return;
        };
        let mut bad = self.deserializer.take_bad_records();
        if !bad.is_empty() {
            bad.in_file(&file.path.display().to_string());
        }
        let rows_filtered = self.deserializer.rows_filtered();
        self.report.add(
            self.partition,
            SplitReport {
                splits_opened: 1,
                read: reader.counters(),
                rows_filtered: rows_filtered - self.rows_filtered,
                bad,
                warnings: reader.take_warnings(),
            },
        );
        self.rows_filtered = rows_filtered;
        self.buffers = reader.into_buffers();
    }
}

fn not_put_together(error: ArrowError) -> Error {
    Error::internal("the rows of a task do not make a batch").with_source(error)
}

impl Iterator for TaskRows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.next_batch().transpose();
        if !matches!(next, Some(Ok(_))) {
            self.ended = true;
            self.close();
        }
        next
    }
}

impl Drop for TaskRows {
    /// A LIMIT may stop the reading early; what was read is reported all the same.
    fn drop(&mut self) {
        self.close();
        self.spare.give_back(std::mem::take(&mut self.buffers));
    }
}
