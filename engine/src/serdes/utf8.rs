//! Bytes that are not UTF-8: found for many records at once, reported for each.

use std::ops::Range;

use super::report::{BadExample, BadRecords};
use crate::config::OnInvalidUtf8;
use crate::error::{Error, Result, codes};
use crate::input::RecordBlock;

/// Which records of one block are text: checked in one go, and one by one only if that fails.
pub(super) struct RecordTexts<'a> {
    pub block: &'a RecordBlock,
    /// From the first record to the last, with what lies between them, if all of it is UTF-8.
    pub checked: Option<CheckedText<'a>>,
}

/// A part of a block's data, as text.
#[derive(Clone, Copy)]
pub(super) struct CheckedText<'a> {
    /// In the data.
    pub start: usize,
    pub text: &'a str,
}

impl<'a> RecordTexts<'a> {
    pub(super) fn new(block: &'a RecordBlock, rows: &Range<usize>) -> Self {
        let records = &block.records[rows.clone()];
        let span = match (records.first(), records.last()) {
            (Some(first), Some(last)) => first.start as usize..last.end as usize,
            _ => 0..0,
        };
        let text = simdutf8::basic::from_utf8(&block.data[span.clone()]).ok();
        RecordTexts { block, checked: text.map(|text| CheckedText { start: span.start, text }) }
    }

    /// Whether every record is UTF-8.
    pub(super) fn all_valid(&self) -> bool {
        self.checked.is_some()
    }

    /// Whether this record is UTF-8.
    #[inline]
    pub(super) fn is_valid(&self, record_idx: usize) -> bool {
        self.all_valid() || simdutf8::basic::from_utf8(self.block.record(record_idx)).is_ok()
    }
}

impl<'a> CheckedText<'a> {
    /// The text at a place in the block's data; `None` if that cuts a character in two, or was not checked.
    #[inline]
    pub(super) fn get(self, place: Range<usize>) -> Option<&'a str> {
        self.text.get(place.start.checked_sub(self.start)?..place.end.checked_sub(self.start)?)
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
