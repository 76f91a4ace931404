//! Drops the last records of a file.
//!
//! Which ones they are shows at its end, so as many are held back: whole blocks, for records are not copied.
//!
//! Source: Hive's `HiveContextAwareRecordReader` and its `FooterBuffer`. A line that is too long to be a record is
//! read past before this looks, and does not count.

use std::collections::VecDeque;

use super::line_reader::LineReader;
use super::{ReadBuffers, ReadCounters, RecordBlock, RecordReader};
use crate::error::Result;

/// Reads all records but the last `n_footer`.
pub(super) struct FooterReader {
    lines: LineReader,
    n_footer: usize,
    held: VecDeque<RecordBlock>,
    n_held: usize,
    /// Records handed out.
    n_records: u64,
    at_end: bool,
}

impl FooterReader {
    pub(super) fn new(lines: LineReader, footer_lines: u32) -> FooterReader {
        FooterReader {
            lines,
            n_footer: footer_lines as usize,
            held: VecDeque::new(),
            n_held: 0,
            n_records: 0,
            at_end: false,
        }
    }

    /// Forgets the last records of those held, which are the file's last.
    fn drop_footer(&mut self) {
        let mut n_left = self.n_footer;
        while n_left > 0
            && let Some(block) = self.held.back_mut()
        {
            let n_dropped = n_left.min(block.records.len());
            block.records.truncate(block.records.len() - n_dropped);
            if block.records.is_empty() {
                self.held.pop_back();
            }
            n_left -= n_dropped;
            self.n_held -= n_dropped;
        }
    }
}

impl RecordReader for FooterReader {
    fn next_block(&mut self) -> Result<Option<RecordBlock>> {
        let block = loop {
            let n_first = self.held.front().map_or(0, |first| first.records.len());
            if self.at_end || (n_first > 0 && self.n_held - n_first >= self.n_footer) {
                break self.held.pop_front();
            }
            if let Some(block) = self.lines.next_block()? {
                self.n_held += block.records.len();
                self.held.push_back(block);
            } else {
                self.at_end = true;
                self.drop_footer();
            }
        };
        let n_records = block.as_ref().map_or(0, |block| block.records.len());
        self.n_held -= n_records;
        self.n_records += n_records as u64;
        Ok(block)
    }

    fn counters(&self) -> ReadCounters {
        ReadCounters { records: self.n_records, ..self.lines.counters() }
    }

    fn take_warnings(&mut self) -> Vec<String> {
        self.lines.take_warnings()
    }

    fn into_buffers(self: Box<Self>) -> ReadBuffers {
        Box::new(self.lines).into_buffers()
    }
}
