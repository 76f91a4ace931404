//! Records of commits to S3, as those meet them who read a place while somebody writes it.
//!
//! S3 has no step that changes several objects. While a commit is under way, or after it died, a listing may hold old
//! and new objects of one result; its record is there as long, `_logq/commit-….json`.

use serde::Deserialize;

/// What the work of runs is called below the place that they write; readers hide it.
pub const WORK: &str = "_logq/";

/// Whether the object of this name, relative to what is read, is a record of a commit.
pub(super) fn is_record(name: &str) -> bool {
    let start = format!("{WORK}commit-");
    name.starts_with(&start) || name.contains(&format!("/{start}"))
}

/// Whether the record's text says that objects may have changed already. One that cannot be read does.
pub(super) fn is_committing(text: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Record {
        state: State,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum State {
        Uploading(serde::de::IgnoredAny),
        Committing(serde::de::IgnoredAny),
    }
    !matches!(serde_json::from_slice(text), Ok(Record { state: State::Uploading(_) }))
}
