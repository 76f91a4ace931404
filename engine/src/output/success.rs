//! `_SUCCESS`: the JSON that says that a result is complete, and what went into it.
//!
//! Hadoop's file is empty; S3A's committers write JSON as here. Two runs over the same input differ in `run_id` only.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::serdes::BadRecords;

/// Name of the file; readers hide names that start with `_`.
pub const SUCCESS_FILE: &str = "_SUCCESS";

/// What a run knows about itself when it commits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuccessInfo {
    pub run_id: String,
    /// Of the statement's text after variable substitution.
    pub query_hash: String,
    pub input: InputSummary,
    pub bad_records: BadRecordCounts,
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommittedFile {
    /// `000000_0`: the place in task order, and always attempt 0, so that names do not depend on failures.
    pub name: String,
    pub rows: u64,
    pub bytes: u64,
    /// The entity tag of an object, as S3 gave it. Files of local disk have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
}

/// The whole text.
#[derive(Debug, Serialize, Deserialize)]
struct Document {
    #[serde(flatten)]
    info: SuccessInfo,
    rows: u64,
    bytes: u64,
    files: Vec<CommittedFile>,
}

impl Document {
    fn json(&self) -> serde_json::Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        Ok(json)
    }
}

/// The text of the file.
pub(super) fn success_json(info: &SuccessInfo, files: &[CommittedFile]) -> serde_json::Result<Vec<u8>> {
    let document = Document {
        info: info.clone(),
        rows: files.iter().map(|file| file.rows).sum(),
        bytes: files.iter().map(|file| file.bytes).sum(),
        files: files.to_vec(),
    };
    document.json()
}

/// The text with the entity tags of objects, which are known only once they are there, by their names.
pub(super) fn with_etags(text: &str, mut etags: HashMap<String, String>) -> serde_json::Result<Vec<u8>> {
    let mut document: Document = serde_json::from_str(text)?;
    for file in &mut document.files {
        file.etag = etags.remove(&file.name).or(file.etag.take());
    }
    document.json()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_adds_up() {
        let file = |name: &str, rows| CommittedFile { name: name.into(), rows, bytes: 10 * rows, etag: None };
        let json =
            success_json(&SuccessInfo::default(), &[file("000000_0", 1), file("000001_0", 2)]).expect("plain data");
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!((value["rows"].as_u64(), value["bytes"].as_u64()), (Some(3), Some(30)));
        assert_eq!(value["files"][1]["name"], "000001_0");
        assert_eq!(value["bad_records"]["malformed"], 0);

        let text = String::from_utf8(json).unwrap();
        assert_eq!(with_etags(&text, HashMap::new()).unwrap(), text.as_bytes());
        let tagged = with_etags(&text, [("000001_0".to_owned(), "\"x\"".to_owned())].into()).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&tagged).unwrap();
        assert_eq!(
            (&value["files"][0]["etag"], &value["files"][1]["etag"]),
            (&serde_json::Value::Null, &"\"x\"".into())
        );
    }
}
