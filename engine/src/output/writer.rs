//! Record writers: rows → one file of one attempt, invisible until the committer takes it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use crate::error::{Result, codes};
use crate::id::{AttemptId, TaskId};
use crate::serdes::Serializer;
use crate::storage::filesystem::{FileSystem, OutputFile, file_error};

/// Bytes gathered before they are written. A guess: large enough that the calls do not show.
const BUFFER_BYTES: usize = 1 << 20;

/// Whether files must survive a power cut once the commit has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// fsync files, then directories, before anything becomes visible.
    Synced,
    /// Whatever the kernel has written by then.
    Unsynced,
}

/// Writes one attempt's rows to one file. Dropped unfinished, it removes the file.
pub struct RecordWriter {
    file: Box<dyn OutputFile>,
    buffer: Vec<u8>,
    serializer: Box<dyn Serializer>,
    durability: Durability,
    pending: PendingFile,
}

impl RecordWriter {
    pub(super) fn create(
        fs: Arc<dyn FileSystem>,
        path: PathBuf,
        task: TaskId,
        attempt: AttemptId,
        serializer: Box<dyn Serializer>,
        durability: Durability,
    ) -> Result<Self> {
        let file = fs.create_file(&path).map_err(|e| file_error("create", &path, e, codes::STORAGE))?;
        let pending = PendingFile { task, attempt, path, rows: 0, bytes: 0, fs, taken: false };
        Ok(RecordWriter { file, buffer: Vec::new(), serializer, durability, pending })
    }

    /// Appends the rows of `batch`.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.serializer.serialize(batch, &mut self.buffer)?;
        self.pending.rows += batch.num_rows() as u64;
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    /// Closes the file: written, counted, still invisible.
    pub fn finish(mut self) -> Result<PendingFile> {
        self.flush()?;
        if self.durability == Durability::Synced {
            self.file.sync().map_err(|e| file_error("sync", &self.pending.path, e, codes::STORAGE))?;
        }
        Ok(self.pending)
    }

    fn flush(&mut self) -> Result<()> {
        if !self.buffer.is_empty() {
            self.file
                .write_all(&self.buffer)
                .map_err(|e| file_error("write", &self.pending.path, e, codes::STORAGE))?;
            self.pending.bytes += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(())
    }
}

/// A finished file of an attempt, not yet chosen. Dropped without being committed, it removes the file.
#[derive(Debug)]
pub struct PendingFile {
    pub task: TaskId,
    pub attempt: AttemptId,
    pub path: PathBuf,
    pub rows: u64,
    pub bytes: u64,
    fs: Arc<dyn FileSystem>,
    /// Whether the committer has given the file its final name.
    taken: bool,
}

impl PendingFile {
    /// Gives the file its name in the directory that is about to become visible.
    pub(super) fn take(mut self, to: &Path) -> Result<()> {
        self.fs.rename(&self.path, to).map_err(|e| file_error("rename", &self.path, e, codes::COMMIT))?;
        self.taken = true;
        Ok(())
    }
}

impl PendingFile {
    /// Puts the rows behind those of `to`, a file of the directory that is about to become visible.
    pub(super) fn append_to(self, to: &Path, durability: Durability) -> Result<()> {
        self.fs
            .append_file(&self.path, to, durability == Durability::Synced)
            .map_err(|e| file_error("write", to, e, codes::COMMIT))
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        if !self.taken {
            // What cannot be removed here goes with the work directory.
            let _ = self.fs.remove_file(&self.path);
        }
    }
}
