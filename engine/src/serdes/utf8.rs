//! Bytes that are not UTF-8: found for many records at once, reported for each.

use std::ops::Range;

use super::report::{BadExample, BadRecords};
use crate::config::OnInvalidUtf8;
use crate::error::{Error, Result, codes};
use crate::input::RecordBlock;

/// What is known of some records of one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextCheck {
    /// Each of them is UTF-8.
    AllValid,
    /// Each of them must be looked at.
    Mixed,
}

/// Looks at the records of `rows` in one go, with what lies between them.
pub(super) fn check_rows(block: &RecordBlock, rows: &Range<usize>) -> TextCheck {
    let records = &block.records[rows.clone()];
    let (Some(first), Some(last)) = (records.first(), records.last()) else {
        return TextCheck::AllValid;
    };
    match simdutf8::basic::from_utf8(&block.data[first.start as usize..last.end as usize]) {
        Ok(_) => TextCheck::AllValid,
        Err(_) => TextCheck::Mixed,
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
