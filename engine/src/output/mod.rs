//! Writing results: record writers under an attempt, and the committer that makes them final.
//!
//! Two ends only: [`Committer::commit`] and dropping, which aborts. A final place is touched by `committer.rs` on local
//! disk, by `object_committer.rs` on S3, and by nothing else. Plans and SQL are not known here.

pub mod committer;
pub mod object_committer;
pub mod success;
pub mod writer;

mod intent;
mod output_lock;
mod recovery;
mod stop;

pub use committer::OutputCommitter;
pub use object_committer::ObjectCommitter;
pub use stop::Stop;
pub use success::{CommittedFile, InputSummary, SuccessInfo};
pub use writer::{PendingFile, RecordWriter};

use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::id::{AttemptId, JobId, TaskId};
use crate::serdes::Serializer;
use crate::storage::filesystem::FileSystem;
pub use crate::storage::s3::UPLOAD_BYTES_MAX;
use crate::storage::{Storage, StoragePath};

/// Collects the files of one job and makes them the content of one place. Dropping it aborts.
#[derive(Debug)]
pub enum Committer {
    Local(OutputCommitter),
    S3(Box<ObjectCommitter>),
}

/// Where a session keeps what is not final yet.
#[derive(Debug, Clone, Copy)]
pub struct WorkPlaces<'a> {
    /// The session's own, removed with it.
    pub scratch: &'a Path,
    /// That of all sessions of the machine.
    pub temp_dir: &'a Path,
}

impl Committer {
    /// See [`OutputCommitter::begin`] and [`ObjectCommitter::begin`].
    pub fn begin(
        fs: Arc<dyn FileSystem>,
        storage: &Storage,
        dest: &StoragePath,
        places: WorkPlaces<'_>,
        job: &JobId,
        durable: bool,
        stop: &Stop,
    ) -> Result<Self> {
        match (dest.as_local(), dest.as_object()) {
            (Some(path), _) => OutputCommitter::begin(fs, path, job, durable).map(Committer::Local),
            (_, Some(object)) => ObjectCommitter::begin(fs, storage.s3(), object, places, job, stop)
                .map(|committer| Committer::S3(Box::new(committer))),
            (None, None) => Err(Error::internal("an output that is nowhere")),
        }
    }

    /// See [`OutputCommitter::merging`].
    pub fn merging(self, bytes: u64) -> Self {
        match self {
            Committer::Local(committer) => Committer::Local(committer.merging(bytes)),
            Committer::S3(committer) => Committer::S3(Box::new(committer.map_local(|local| local.merging(bytes)))),
        }
    }

    /// See [`OutputCommitter::start`].
    pub fn start(&self, task: TaskId, attempt: AttemptId, serializer: Box<dyn Serializer>) -> Result<RecordWriter> {
        self.local()?.start(task, attempt, serializer)
    }

    /// See [`OutputCommitter::commit_task`].
    pub fn commit_task(&self, file: PendingFile) -> Result<bool> {
        self.local()?.commit_task(file)
    }

    /// See [`OutputCommitter::commit`], which takes no time and no memory, and [`ObjectCommitter::commit`].
    pub fn commit(self, success: &SuccessInfo, upload_bytes: u64, stop: &Stop) -> Result<Vec<CommittedFile>> {
        match self {
            Committer::Local(committer) => committer.commit(success),
            Committer::S3(committer) => committer.commit(success, upload_bytes, stop),
        }
    }

    fn local(&self) -> Result<&OutputCommitter> {
        match self {
            Committer::Local(committer) => Ok(committer),
            Committer::S3(committer) => committer.local(),
        }
    }
}

/// Finishes or undoes what runs that died left at `dest`, and says how many there were.
///
/// Errors: [`OUTPUT_LOCKED`](crate::error::codes::OUTPUT_LOCKED) if a run is writing there.
pub fn collect_garbage(
    fs: Arc<dyn FileSystem>,
    storage: &Storage,
    dest: &StoragePath,
    temp_dir: &Path,
) -> Result<usize> {
    match (dest.as_local(), dest.as_object()) {
        (Some(path), _) => committer::collect_garbage(fs, path),
        (_, Some(object)) => object_committer::collect_garbage(fs, storage.s3(), object, temp_dir),
        (None, None) => Err(Error::internal("an output that is nowhere")),
    }
}
