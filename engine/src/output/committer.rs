//! The output committer: attempts' files become the content of a directory, all at once, replacing what was there.
//!
//! `INSERT OVERWRITE DIRECTORY` as in Hive, except that Hive deletes the old data first and moves files in one by
//! one; here the old directory stays whole until the new one is complete, and they change places in one step:
//!
//! 1. attempts write files into a hidden work directory beside the destination, on the same file system;
//! 2. at the commit the chosen files move to `result/`, where `_SUCCESS` is written last;
//! 3. if durable, files and directories are synced;
//! 4. `result` is exchanged with the destination, or renamed to it if nothing is there;
//! 5. the work directory, which now holds the old data, is removed.
//!
//! A run that dies at any moment leaves the old or the new result, and a work directory for the next run to remove.
//! Where names cannot be exchanged, 4 is two renames, the destination is missing between them, and the next run
//! finishes what died there (`recovery.rs`). One run at a time: the second gets [`codes::OUTPUT_LOCKED`].

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, Result, codes};
use crate::id::{AttemptId, JobId, TaskId};
use crate::serdes::Serializer;
use crate::storage::filesystem::{EntryKind, FileLock, FileSystem, file_error};

use super::recovery::{Destination, settle_dead_runs};
use super::success::{CommittedFile, SUCCESS_FILE, SuccessInfo, success_json};
use super::writer::{Durability, PendingFile, RecordWriter};

/// Collects the files of one job and makes them the content of one directory. Dropping it aborts.
#[derive(Debug)]
pub struct OutputCommitter {
    fs: Arc<dyn FileSystem>,
    dest: Destination,
    work: PathBuf,
    durability: Durability,
    /// Files that lie side by side become one of up to so many bytes.
    merge_bytes: u64,
    /// The one chosen attempt of each task.
    chosen: Mutex<BTreeMap<TaskId, PendingFile>>,
    on_drop: OnDrop,
    /// Released after the work directory is gone.
    _lock: DestinationLock,
}

/// What becomes of the work directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnDrop {
    Remove,
    /// It holds the only copy of the old data.
    Keep,
}

impl OutputCommitter {
    /// Locks `dest`, settles what dead runs left there and makes the work directory.
    ///
    /// `dest` need not exist; directories above it are made. If it is a symbolic link to a directory, then that
    /// directory is replaced and the link stays.
    ///
    /// Errors: [`codes::OUTPUT_LOCKED`] if another run is writing there, [`codes::COMMIT`] if `dest` is not a
    /// directory, [`codes::ACCESS_DENIED`], [`codes::STORAGE`].
    pub fn begin(fs: Arc<dyn FileSystem>, dest: &Path, job: &JobId, durable: bool) -> Result<Self> {
        let durability = if durable { Durability::Synced } else { Durability::Unsynced };
        let dest = resolve(fs.as_ref(), dest, durability)?;
        let lock = DestinationLock::acquire(Arc::clone(&fs), &dest, job)?;
        settle_dead_runs(fs.as_ref(), &dest)?;
        let work = dest.work_path(&job.to_string());
        let committer = OutputCommitter {
            fs,
            dest,
            work,
            durability,
            merge_bytes: 0,
            chosen: Mutex::default(),
            on_drop: OnDrop::Remove,
            _lock: lock,
        };
        for directory in [committer.work.clone(), committer.attempts()] {
            committer.fs.create_dir(&directory).map_err(|e| file_error("create", &directory, e, codes::STORAGE))?;
        }
        Ok(committer)
    }

    /// Puts the files of neighbouring tasks together as long as the result has at most `bytes`; 0, the default, keeps
    /// each task's file. For results of a map stage, whose tasks are as many as there are input splits: Hive does the
    /// same with `hive.merge.mapfiles`.
    pub fn merging(mut self, bytes: u64) -> Self {
        self.merge_bytes = bytes;
        self
    }

    /// Opens the file of one attempt. Called from any thread, once for each attempt that writes.
    pub fn start(&self, task: TaskId, attempt: AttemptId, serializer: Box<dyn Serializer>) -> Result<RecordWriter> {
        let path = self.attempts().join(format!("{:06}_{}", task.0, attempt.0));
        RecordWriter::create(Arc::clone(&self.fs), path, task, attempt, serializer, self.durability)
    }

    /// Chooses `file` for its task, unless another attempt was chosen before: then it is removed, and that is not an
    /// error. Tells whether it was chosen.
    pub fn commit_task(&self, file: PendingFile) -> Result<bool> {
        if !file.path.starts_with(&self.work) {
            return Err(Error::internal(format!("`{}` was not written for this output", file.path.display())));
        }
        let mut chosen = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        match chosen.entry(file.task) {
            Entry::Vacant(slot) => {
                slot.insert(file);
                Ok(true)
            }
            Entry::Occupied(_) => Ok(false),
        }
    }

    /// Makes the chosen files the content of the destination, named `000000_0`, `000001_0`, … in task order.
    ///
    /// Shape: no files give a directory that holds `_SUCCESS` only.
    /// Errors: before the swap the destination is untouched; an error of the sync after it leaves the new content.
    /// Old data that could not be removed is no error: the next run removes it.
    pub fn commit(mut self, success: &SuccessInfo) -> Result<Vec<CommittedFile>> {
        let result = self.result();
        self.fs.create_dir(&result).map_err(|e| file_error("create", &result, e, codes::COMMIT))?;
        let chosen = std::mem::take(&mut *self.chosen.lock().unwrap_or_else(PoisonError::into_inner));
        let mut files: Vec<CommittedFile> = Vec::new();
        for file in chosen.into_values() {
            let (rows, bytes) = (file.rows, file.bytes);
            if let Some(last) = files.last_mut()
                && last.bytes.saturating_add(bytes) <= self.merge_bytes
            {
                file.append_to(&result.join(&last.name), self.durability)?;
                last.rows += rows;
                last.bytes += bytes;
                continue;
            }
            let name = format!("{:06}_0", files.len());
            file.take(&result.join(&name))?;
            files.push(CommittedFile { name, rows, bytes, etag: None });
        }
        self.write_success(&result, success, &files)?;
        self.sync_dir(&result)?;
        self.swap(&result)?;
        // The name is promised, not that the work directory has lost it: that is removed, here or by the next run.
        self.sync_dir(&self.dest.parent)?;
        Ok(files)
    }

    /// Removes what was written; the destination stays as it was.
    pub fn abort(self) {}

    fn attempts(&self) -> PathBuf {
        self.work.join("attempts")
    }

    fn result(&self) -> PathBuf {
        self.work.join("result")
    }

    fn write_success(&self, result: &Path, success: &SuccessInfo, files: &[CommittedFile]) -> Result<()> {
        let path = result.join(SUCCESS_FILE);
        let json = success_json(success, files).map_err(|e| Error::internal("cannot write JSON").with_source(e))?;
        let written = self.fs.create_file(&path).and_then(|mut file| {
            file.write_all(&json)?;
            if self.durability == Durability::Synced { file.sync() } else { Ok(()) }
        });
        written.map_err(|e| file_error("write", &path, e, codes::COMMIT))
    }

    /// The one moment at which readers see another content.
    fn swap(&mut self, result: &Path) -> Result<()> {
        let dest = &self.dest.path;
        match kind_of(self.fs.as_ref(), dest)? {
            None => self.fs.rename(result, dest).map_err(|e| file_error("rename", result, e, codes::COMMIT)),
            Some(EntryKind::Directory) => {
                self.fs
                    .copy_permissions(dest, result)
                    .map_err(|e| file_error("set rights of", result, e, codes::COMMIT))?;
                match self.fs.exchange(result, dest) {
                    Err(e) if e.kind() == ErrorKind::Unsupported => self.swap_by_two_renames(result),
                    exchanged => exchanged.map_err(|e| file_error("replace", dest, e, codes::COMMIT)),
                }
            }
            Some(_) => Err(not_a_directory(dest)),
        }
    }

    /// Where names cannot be exchanged: the old directory steps aside, the new one takes its name.
    fn swap_by_two_renames(&mut self, result: &Path) -> Result<()> {
        let dest = &self.dest.path;
        let old = self.work.join("old");
        self.fs.rename(dest, &old).map_err(|e| file_error("replace", dest, e, codes::COMMIT))?;
        // The first name must be durable before the second, or a power cut could leave neither directory a name.
        let renamed = self
            .sync_dir(&self.work)
            .and_then(|()| self.sync_dir(&self.dest.parent))
            .and_then(|()| self.fs.rename(result, dest).map_err(|e| file_error("rename", result, e, codes::COMMIT)));
        renamed.map_err(|error| match self.fs.rename(&old, dest) {
            Ok(()) => error,
            Err(_) => {
                self.on_drop = OnDrop::Keep;
                error.with_hint(format!("run it again to finish; the former content is in `{}`", old.display()))
            }
        })
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        sync_dir(self.fs.as_ref(), path, self.durability)
    }
}

impl Drop for OutputCommitter {
    fn drop(&mut self) {
        if self.on_drop == OnDrop::Remove {
            // What stays is hidden from readers and removed by the next run.
            let _ = self.fs.remove_dir_all(&self.work);
        }
    }
}

/// The right to write one destination, from the start of a run until its work directory is gone.
struct DestinationLock {
    fs: Arc<dyn FileSystem>,
    path: PathBuf,
    _lock: FileLock,
}

impl DestinationLock {
    fn acquire(fs: Arc<dyn FileSystem>, dest: &Destination, job: &JobId) -> Result<Self> {
        let path = dest.lock_path();
        let note = format!("run {job}, process {}", std::process::id());
        match fs.try_lock(&path, &note).map_err(|e| file_error("lock", &path, e, codes::COMMIT))? {
            Some(lock) => Ok(DestinationLock { fs, path, _lock: lock }),
            None => {
                let holder = fs.read(&path).unwrap_or_default();
                let holder = String::from_utf8_lossy(&holder);
                let holder = if holder.is_empty() { String::new() } else { format!(" ({holder})") };
                let message = format!("another run is writing `{}`{holder}", dest.path.display());
                Err(Error::new(codes::OUTPUT_LOCKED, message))
            }
        }
    }
}

impl Drop for DestinationLock {
    fn drop(&mut self) {
        // Removed while locked, so that nobody can lock a file that is about to lose its name.
        let _ = self.fs.remove_file(&self.path);
    }
}

impl std::fmt::Debug for DestinationLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.path.fmt(f)
    }
}

/// Finishes or undoes what dead runs left beside `dest`, and says how many there were.
pub(super) fn collect_garbage(fs: Arc<dyn FileSystem>, dest: &Path) -> Result<usize> {
    let dest = resolve(fs.as_ref(), dest, Durability::Unsynced)?;
    let _lock = DestinationLock::acquire(Arc::clone(&fs), &dest, &JobId::new())?;
    settle_dead_runs(fs.as_ref(), &dest)
}

/// Finds the directory that is to be replaced, through symbolic links, and makes those above it.
fn resolve(fs: &dyn FileSystem, dest: &Path, durability: Durability) -> Result<Destination> {
    // Without a trailing slash, behind which a link looks like the directory.
    let mut path: PathBuf = dest.components().collect();
    let is_name = matches!(path.components().next_back(), Some(Component::Normal(_)));
    if !is_name || kind_of(fs, &path)? == Some(EntryKind::SymbolicLink) {
        path = fs.canonicalize(&path).map_err(|e| file_error("follow", &path, e, codes::COMMIT))?;
    }
    if let Some(parent) = path.parent() {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        create_parents(fs, parent, durability)?;
        let parent = fs.canonicalize(parent).map_err(|e| file_error("follow", parent, e, codes::STORAGE))?;
        if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
            let dest = Destination { path: parent.join(name), name: name.to_owned(), parent };
            return check_replaceable(fs, &dest.path).map(|()| dest);
        }
    }
    Err(Error::new(codes::COMMIT, format!("`{}` cannot be replaced by an output", dest.display())))
}

/// Finds now what would stop the commit after hours of work.
fn check_replaceable(fs: &dyn FileSystem, dest: &Path) -> Result<()> {
    match kind_of(fs, dest)? {
        None => Ok(()),
        Some(EntryKind::Directory) => {
            let is_mount_point = fs.is_mount_point(dest).map_err(|e| file_error("look at", dest, e, codes::STORAGE))?;
            if is_mount_point {
                let message = format!("`{}` is a mount point, which cannot be replaced as a whole", dest.display());
                return Err(Error::new(codes::COMMIT, message).with_hint("write to a directory below it"));
            }
            Ok(())
        }
        Some(_) => Err(not_a_directory(dest)),
    }
}

fn create_parents(fs: &dyn FileSystem, parent: &Path, durability: Durability) -> Result<()> {
    let mut missing = Vec::new();
    for directory in parent.ancestors().filter(|directory| !directory.as_os_str().is_empty()) {
        if kind_of(fs, directory)?.is_some() {
            break;
        }
        missing.push(directory);
    }
    if missing.is_empty() {
        return Ok(());
    }
    fs.create_dir_all(parent).map_err(|e| file_error("create", parent, e, codes::STORAGE))?;
    for directory in missing {
        let above = directory.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        sync_dir(fs, above, durability)?;
    }
    Ok(())
}

fn sync_dir(fs: &dyn FileSystem, path: &Path, durability: Durability) -> Result<()> {
    match durability {
        Durability::Synced => fs.sync_dir(path).map_err(|e| file_error("sync", path, e, codes::COMMIT)),
        Durability::Unsynced => Ok(()),
    }
}

fn kind_of(fs: &dyn FileSystem, path: &Path) -> Result<Option<EntryKind>> {
    fs.kind(path).map_err(|e| file_error("look at", path, e, codes::STORAGE))
}

fn not_a_directory(path: &Path) -> Error {
    Error::new(codes::COMMIT, format!("`{}` is not a directory, and an output is written as one", path.display()))
}

#[cfg(test)]
mod tests;
