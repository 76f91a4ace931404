//! Bytes: open, list, read ranges, write, rename. Knows no lines.
//!
//! A [`StoragePath`] is where something is, as a script wrote it. [`Storage`] is a session's way there: it lists the
//! files below a path and opens them for positional reads, local ones ([`ReadAt`]) and those of [`s3`] alike; a task
//! announces what it will read as a [`ReadAhead`]. Inputs are never memory-mapped: a file that shrinks while it is
//! read is an error and not a signal. To those outside everything here blocks, and nothing here decides what is done
//! about an error. The writing side is `filesystem`, and the uploads of `s3`.

mod file;
mod files;
mod list;
mod path;
mod read_ahead;
mod scratch;

pub mod filesystem;
pub mod s3;

pub use file::{FileMeta, FileVersion, ReadAt};
pub use files::{Files, FoundFile, Place};
pub use list::Listing;
pub use path::{ObjectPath, StoragePath};
pub use read_ahead::{ReadAhead, TasksAhead};
pub use s3::RequestCounts;
pub use scratch::{ScratchDirectory, make_private};

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::config::EngineConfig;
use crate::error::{Error, Result, codes};
use s3::S3;

/// A session's way to files, wherever they are. Clones share everything; nothing is started before it is needed.
#[derive(Debug, Clone)]
pub struct Storage {
    s3: Arc<S3>,
    /// Bytes that one task may have asked for and not yet read.
    window_bytes: u64,
    /// Bytes that a copy reads at once; it holds up to three times as many.
    copy_bytes: u64,
    /// Tasks whose first bytes are asked for before they start.
    tasks_ahead: usize,
}

/// Bounds of that, and the part of the memory limit that all tasks may use for it.
const WINDOW_BYTES: Range<u64> = 4 << 20..64 << 20;
const WINDOW_SHARE: u64 = 8;

/// Two cores decode 32 MiB of plain text each in less time than one request takes.
const TASKS_AHEAD_MIN: usize = 4;

/// Bounds of what a copy reads at once, and its part of the memory limit. Such a block is a part of an upload, which S3
/// takes from 5 MiB on.
const COPY_BYTES: Range<u64> = 5 << 20..8 << 20;
const COPY_SHARE: u64 = 16;

impl Storage {
    /// Reaches S3 as `config` says.
    pub fn new(config: &EngineConfig) -> Self {
        let threads = config.threads.max(1);
        let tasks_ahead = threads.max(TASKS_AHEAD_MIN);
        let share = config.memory_limit / WINDOW_SHARE / (threads + tasks_ahead) as u64;
        Storage {
            s3: Arc::new(S3::new(config)),
            copy_bytes: (config.memory_limit / COPY_SHARE).clamp(COPY_BYTES.start, COPY_BYTES.end),
            window_bytes: share.clamp(WINDOW_BYTES.start, WINDOW_BYTES.end),
            tasks_ahead,
        }
    }

    /// Lists every file below `path`, or `path` itself if it is a file. The location's own name may be a hidden one.
    ///
    /// Errors: `NOT_FOUND`; `ACCESS_DENIED`, also of a folder below; `STORAGE`.
    pub fn list(&self, path: &StoragePath) -> Result<Listing> {
        match (path.as_local(), path.as_object()) {
            (Some(local), _) => list::list_local(local),
            (_, Some(object)) => self.s3.list(object),
            (None, None) => Err(Error::internal("a path that is nowhere")),
        }
    }

    /// A whole small file, such as a script.
    ///
    /// Errors: `NOT_FOUND`, `ACCESS_DENIED`, `STORAGE`.
    pub fn read(&self, path: &StoragePath) -> Result<Vec<u8>> {
        match (path.as_local(), path.as_object()) {
            (Some(local), _) => std::fs::read(local).map_err(|cause| io_error("read", local, cause)),
            (_, Some(object)) => self.s3.read(object),
            (None, None) => Err(Error::internal("a path that is nowhere")),
        }
    }

    /// Opens the files that one task reads: these ranges of them, in this order.
    pub fn read_ahead(&self, ranges: Vec<(Arc<FileMeta>, Range<u64>)>) -> ReadAhead {
        ReadAhead::new(self.clone(), ranges)
    }

    /// Tasks whose files are worth asking for before they start.
    pub fn tasks_ahead(&self) -> usize {
        self.tasks_ahead
    }

    /// What was asked of S3 so far, in the life of this and its clones.
    pub fn requests(&self) -> RequestCounts {
        self.s3.counts()
    }

    /// The buckets of this session.
    pub fn s3(&self) -> &Arc<S3> {
        &self.s3
    }
}

/// Makes the error of an operation that the operating system refused. `action` reads after "cannot".
pub(crate) fn io_error(action: &str, path: &Path, cause: io::Error) -> Error {
    use io::ErrorKind;
    let code = match cause.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => codes::NOT_FOUND,
        ErrorKind::PermissionDenied => codes::ACCESS_DENIED,
        _ => codes::STORAGE,
    };
    let message = match cause.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => format!("{} does not exist", path.display()),
        ErrorKind::PermissionDenied => format!("cannot {action} {}: permission denied", path.display()),
        _ => format!("cannot {action} {}", path.display()),
    };
    Error::new(code, message).with_source(cause)
}
