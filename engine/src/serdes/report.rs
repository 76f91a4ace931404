//! What a SerDe could not read: counted, with the first example.

use crate::input::RecordBlock;

/// The first record that could not be read, as evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadExample {
    /// The record's file; filled in by the scan, as a SerDe knows no files.
    pub file: Option<String>,
    /// Of the record in its file, after decompression.
    pub byte_offset: u64,
    /// The record's text, cut after 200 characters, wrong bytes as U+FFFD.
    pub record: String,
    /// Why, in lower case, without a full stop: `does not match input.regex`, `"-" is not an int (column bytes)`.
    pub reason: String,
}

impl BadExample {
    /// The evidence that record `record_idx` of `block` is.
    pub(super) fn new(block: &RecordBlock, record_idx: usize, reason: impl Into<String>) -> Self {
        BadExample {
            file: None,
            byte_offset: block.record_offset(record_idx),
            record: excerpt(block.record(record_idx)),
            reason: reason.into(),
        }
    }
}

/// The first 200 characters of a record, wrong bytes as U+FFFD.
pub(super) fn excerpt(record: &[u8]) -> String {
    // No character has more than four bytes.
    let start = &record[..record.len().min(4 * 200)];
    String::from_utf8_lossy(start).chars().take(200).collect()
}

/// Counts of what could not be read. Rows and fields are counted once each, however many reasons there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BadRecords {
    /// Records that became a row of NULLs, or no row: the SerDe could not read them at all.
    pub malformed: u64,
    /// Fields of readable records that became NULL because their text is no value of their type. A delimited field
    /// that is empty or says NULL is not counted, nor is a group of a regular expression that took no part.
    pub failed_conversions: u64,
    /// Records with bytes that are not UTF-8, replaced by U+FFFD.
    pub invalid_utf8: u64,
    /// The first record of `malformed`.
    pub first_malformed: Option<BadExample>,
    /// The first record of `failed_conversions`.
    pub first_failed_conversion: Option<BadExample>,
    /// The first record of `invalid_utf8`.
    pub first_invalid_utf8: Option<BadExample>,
}

impl BadRecords {
    /// Adds the counts of `later`; the examples of `self` win, since they came first.
    pub fn merge(&mut self, later: BadRecords) {
        self.malformed += later.malformed;
        self.failed_conversions += later.failed_conversions;
        self.invalid_utf8 += later.invalid_utf8;
        self.first_malformed = self.first_malformed.take().or(later.first_malformed);
        self.first_failed_conversion = self.first_failed_conversion.take().or(later.first_failed_conversion);
        self.first_invalid_utf8 = self.first_invalid_utf8.take().or(later.first_invalid_utf8);
    }

    /// Says which file the examples are from.
    pub fn in_file(&mut self, file: &str) {
        let examples = [&mut self.first_malformed, &mut self.first_failed_conversion, &mut self.first_invalid_utf8];
        for example in examples.into_iter().flatten() {
            example.file.get_or_insert_with(|| file.to_string());
        }
    }

    /// Whether everything could be read.
    pub fn is_empty(&self) -> bool {
        self.malformed == 0 && self.failed_conversions == 0 && self.invalid_utf8 == 0
    }
}
