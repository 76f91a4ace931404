//! Records in blocks: what a record reader hands to a SerDe.

use std::ops::Range;

use bytes::Bytes;

use super::ReadBuffers;
use crate::error::Result;

/// Where one record lies in its block's data, terminator excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordRange {
    pub start: u32,
    pub end: u32,
}

impl RecordRange {
    /// The bytes of the block that it means.
    pub fn bytes(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Whole records of one file that lie side by side.
///
/// Shape: never empty; records in file order. Text columns may point into `data`, so a reader does not use a block's
/// memory again while anyone holds it.
#[derive(Debug, Clone)]
pub struct RecordBlock {
    /// The bytes that the ranges point into, terminators included.
    pub data: Bytes,
    pub records: Vec<RecordRange>,
    /// Of `data[0]` in the file, after decompression.
    pub byte_offset: u64,
}

impl RecordBlock {
    /// The bytes of record `record_idx`, terminator stripped.
    pub fn record(&self, record_idx: usize) -> &[u8] {
        &self.data[self.records[record_idx].bytes()]
    }

    /// Where record `record_idx` starts in the file, after decompression.
    pub fn record_offset(&self, record_idx: usize) -> u64 {
        self.byte_offset + u64::from(self.records[record_idx].start)
    }

    /// Every record there is.
    pub fn rows(&self) -> Range<usize> {
        0..self.records.len()
    }
}

/// What a reader has done so far.
///
/// A split of a plain file counts the bytes of its range and not those around it that it had to look at, so that the
/// splits of a file add up to its length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadCounters {
    /// As stored: before decompression.
    pub bytes_read: u64,
    /// After decompression.
    pub bytes_decoded: u64,
    pub records: u64,
    /// Records longer than the limit: read past, not returned.
    pub records_too_long: u64,
}

impl ReadCounters {
    /// Adds the counts of `other`.
    pub fn add(&mut self, other: ReadCounters) {
        self.bytes_read += other.bytes_read;
        self.bytes_decoded += other.bytes_decoded;
        self.records += other.records;
        self.records_too_long += other.records_too_long;
    }
}

/// Yields the records whose **first byte** lies in one input split, in file order.
///
/// Called from one thread, until it gives `None` or an error; after either it must not be called again. Every error
/// carries the file and, where known, the byte offset.
pub trait RecordReader: Send {
    /// The next block, of about `InputConfig::block_bytes`.
    fn next_block(&mut self) -> Result<Option<RecordBlock>>;

    /// What was read so far; right after the end, all there is.
    fn counters(&self) -> ReadCounters;

    /// What the user should hear about the file, though it was read; each is given once. Each names the file.
    fn take_warnings(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// Ends the reading, also before the end of the split. The block handed out last may still be held.
    fn into_buffers(self: Box<Self>) -> ReadBuffers;
}
