//! Bytes that are not UTF-8: found for many records at once, reported for each.

use std::ops::Range;

use super::report::{BadExample, BadRecords};
use crate::config::OnInvalidUtf8;
use crate::error::{Error, Result, codes};
use crate::input::RecordBlock;

/// Records of one block as text: checked in one go, and one by one only if that fails.
pub(super) struct RecordTexts<'a> {
    block: &'a RecordBlock,
    /// From the first record to the last, with what lies between them, if all of it is UTF-8.
    span: Option<&'a str>,
    span_start: u32,
}

impl<'a> RecordTexts<'a> {
    pub(super) fn new(block: &'a RecordBlock, rows: &Range<usize>) -> Self {
        let records = &block.records[rows.clone()];
        let (span_start, span_end) = match (records.first(), records.last()) {
            (Some(first), Some(last)) => (first.start, last.end),
            _ => (0, 0),
        };
        let span = simdutf8::basic::from_utf8(&block.data[span_start as usize..span_end as usize]).ok();
        RecordTexts { block, span, span_start }
    }

    /// Whether every record is UTF-8.
    pub(super) fn all_valid(&self) -> bool {
        self.span.is_some()
    }

    /// The record's text; `None` if it is not UTF-8.
    pub(super) fn get(&self, record_idx: usize) -> Option<&'a str> {
        let record = self.block.record(record_idx);
        let start = (self.block.records[record_idx].start - self.span_start) as usize;
        match self.span.and_then(|span| span.get(start..start + record.len())) {
            Some(text) => Some(text),
            None => simdutf8::basic::from_utf8(record).ok(),
        }
    }
}

/// Counts one record that is not UTF-8, or fails if the settings say so.
pub(super) fn report_invalid(
    block: &RecordBlock,
    record_idx: usize,
    on_invalid: OnInvalidUtf8,
    bad_records: &mut BadRecords,
) -> Result<()> {
    if on_invalid == OnInvalidUtf8::Fail {
        let example = BadExample::new(block, record_idx, "");
        let message =
            format!("the record at byte {} has bytes that are not UTF-8: {}", example.byte_offset, example.record);
        return Err(Error::new(codes::INVALID_UTF8, message)
            .with_hint("`SET logq.invalid_utf8=replace` puts U+FFFD in their place and counts such records"));
    }
    bad_records.invalid_utf8 += 1;
    bad_records
        .first_invalid_utf8
        .get_or_insert_with(|| BadExample::new(block, record_idx, "has bytes that are not UTF-8"));
    Ok(())
}
