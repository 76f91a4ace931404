//! `_SUCCESS`: the JSON that says that a result is complete, and what went into it.
//!
//! Hadoop's file is empty; S3A's committers write JSON as here. Two runs over the same input differ in `run_id` only.

use serde::Serialize;

use crate::serdes::BadRecords;

/// Name of the file; readers hide names that start with `_`.
pub const SUCCESS_FILE: &str = "_SUCCESS";

/// What a run knows about itself when it commits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SuccessInfo {
    pub run_id: String,
    /// Of the statement's text after variable substitution.
    pub query_hash: String,
    pub input: InputSummary,
    pub bad_records: BadRecordCounts,
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct InputSummary {
    pub files: u64,
    /// As stored: before decompression.
    pub bytes: u64,
    pub rows: u64,
    /// Files left out because a setting allows it.
    pub files_skipped: u64,
    /// Files of which only the part before an error was read because a setting allows it.
    pub files_cut: u64,
}

/// What could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BadRecordCounts {
    /// Records that became a row of NULLs, or no row.
    pub malformed: u64,
    /// Fields that became NULL because their text is no value of their type.
    pub failed_conversions: u64,
    /// Records with bytes replaced by U+FFFD.
    pub invalid_utf8: u64,
    /// Records longer than the limit, not read.
    pub too_long: u64,
}

impl From<&BadRecords> for BadRecordCounts {
    fn from(bad_records: &BadRecords) -> Self {
        BadRecordCounts {
            malformed: bad_records.malformed,
            failed_conversions: bad_records.failed_conversions,
            invalid_utf8: bad_records.invalid_utf8,
            too_long: 0,
        }
    }
}

/// One file of the final directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommittedFile {
    /// `000000_0`: the place in task order, and always attempt 0, so that names do not depend on failures.
    pub name: String,
    pub rows: u64,
    pub bytes: u64,
}

/// The text of the file.
pub(super) fn success_json(info: &SuccessInfo, files: &[CommittedFile]) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Document<'a> {
        #[serde(flatten)]
        info: &'a SuccessInfo,
        rows: u64,
        bytes: u64,
        files: &'a [CommittedFile],
    }
    let document = Document {
        info,
        rows: files.iter().map(|file| file.rows).sum(),
        bytes: files.iter().map(|file| file.bytes).sum(),
        files,
    };
    let mut json = serde_json::to_vec_pretty(&document)?;
    json.push(b'\n');
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_adds_up() {
        let file = |name: &str, rows| CommittedFile { name: name.into(), rows, bytes: 10 * rows };
        let json =
            success_json(&SuccessInfo::default(), &[file("000000_0", 1), file("000001_0", 2)]).expect("plain data");
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!((value["rows"].as_u64(), value["bytes"].as_u64()), (Some(3), Some(30)));
        assert_eq!(value["files"][1]["name"], "000001_0");
        assert_eq!(value["bad_records"]["malformed"], 0);
    }
}
