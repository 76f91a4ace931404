//! Writing results: record writers under an attempt, and the committer that makes them final.
//!
//! Two ends only: [`OutputCommitter::commit`] and [`OutputCommitter::abort`], which is also what dropping does. The
//! final directory is touched by `committer.rs` and nothing else. Plans, SQL and S3 are not known here.

pub mod committer;
pub mod success;
pub mod writer;

mod recovery;

pub use committer::OutputCommitter;
pub use success::{CommittedFile, InputSummary, SuccessInfo};
pub use writer::{PendingFile, RecordWriter};
