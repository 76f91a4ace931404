//! The output committer for S3, where nothing can be renamed: staged on local disk, uploaded, then made visible.
//!
//! S3 has no step that changes several objects. What is promised instead: whoever waits for `_SUCCESS` of a new run sees
//! all of it; old objects are deleted only when all new ones are there; a commit that died is finished or undone by the
//! next run on the same place. Like S3A's staging committer (Hadoop, "S3A Committers: Architecture"), except that the
//! record of intent is on S3 and outlives the machine:
//!
//! 1. a lock object is made, if there is none (`output_lock.rs`), and dead runs are settled (`intent.rs`);
//! 2. attempts write to local disk, through the local committer: failed ones never reach S3;
//! 3. the intent is written: `uploading`, and the names;
//! 4. files are uploaded in parts; no upload is completed, so nobody sees them;
//! 5. the intent is written again: `committing`, with the uploads, the objects to delete and the text of `_SUCCESS`:
//!    from here on the only way is forward;
//! 6. the old `_SUCCESS` is deleted, uploads are completed, old objects are deleted, `_SUCCESS` is written;
//! 7. the intent is deleted, and the lock.
//!
//! No two runs use the same names: the start of the run's id ends each, `000000_0-1f2e3d4c`. A run that is late, since
//! its machine slept or was cut off, can then harm no file of the run that took the place over. S3A's staging committer
//! makes names unique, too (`fs.s3a.committer.staging.unique-filenames`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::intent::{Intent, IntentState, is_work, refuse_if_locked_below, settle_dead_copies, settle_dead_runs};
use super::output_lock::OutputLock;
use super::success::{CommittedFile, SuccessInfo, success_json};
use super::{OutputCommitter, Stop, WorkPlaces};
use crate::error::{Error, Result, codes};
use crate::id::JobId;
use crate::storage::ObjectPath;
use crate::storage::filesystem::FileSystem;
use crate::storage::s3::{ObjectFolder, S3};

/// Characters of a run's id in the names of its files.
const RUN_ID_CHARS: usize = 8;

/// Collects the files of one job on local disk and makes them the content of a place in S3. Dropping it aborts.
#[derive(Debug)]
pub struct ObjectCommitter {
    folder: ObjectFolder,
    fs: Arc<dyn FileSystem>,
    staged: PathBuf,
    run_id: String,
    /// `Some` until it is committed.
    local: Option<OutputCommitter>,
    /// What is to be undone if the commit fails.
    begun: Option<Begun>,
    /// Released last.
    lock: OutputLock,
}

/// A commit of which some may be on S3.
#[derive(Debug)]
struct Begun {
    /// Written, or about to be.
    intent: Arc<Intent>,
    names: Vec<String>,
}

impl ObjectCommitter {
    /// Locks `dest`, settles what dead runs left there and makes the place on local disk.
    ///
    /// Errors: [`codes::OUTPUT_LOCKED`] if another run is writing there or below, [`codes::COMMIT`] if `dest` is a whole
    /// bucket, [`codes::ACCESS_DENIED`], [`codes::STORAGE`].
    pub fn begin(
        fs: Arc<dyn FileSystem>,
        s3: &S3,
        dest: &ObjectPath,
        places: WorkPlaces<'_>,
        job: &JobId,
        stop: &Stop,
    ) -> Result<Self> {
        let (folder, lock) = lock_place(Arc::clone(&fs), s3, dest, places.temp_dir, job)?;
        settle_dead_runs(&folder, &lock, places.temp_dir, stop)?;
        let run_id = job.to_string();
        let staged = places.scratch.join(format!("output-{run_id}"));
        let local = OutputCommitter::begin(Arc::clone(&fs), &staged, job, false)?;
        Ok(ObjectCommitter { folder, fs, staged, run_id, local: Some(local), begun: None, lock })
    }

    /// The committer of the files on local disk.
    pub(super) fn local(&self) -> Result<&OutputCommitter> {
        self.local.as_ref().ok_or_else(|| Error::internal("an output is written after it was committed"))
    }

    pub(super) fn map_local(mut self, change: impl FnOnce(OutputCommitter) -> OutputCommitter) -> Self {
        self.local = self.local.take().map(change);
        self
    }

    /// Makes the chosen files the content of the destination. Their upload holds up to `upload_bytes` of memory, or what one
    /// part takes.
    ///
    /// Errors: before the intent is to commit, the destination is untouched; after it, the next run finishes.
    /// [`codes::CANCELLED`] if it was stopped: at once before the intent, and after it if it takes too long.
    pub fn commit(mut self, success: &SuccessInfo, upload_bytes: u64, stop: &Stop) -> Result<Vec<CommittedFile>> {
        let local = self.local.take().ok_or_else(|| Error::internal("an output is committed twice"))?;
        let mut files = local.commit(success)?;
        stop.check()?;
        let mut replaced = self.folder.list()?;
        refuse_if_locked_below(&self.folder, &replaced)?;
        replaced.retain(|name| !is_work(name));
        let staged: Vec<PathBuf> = files.iter().map(|file| self.staged.join(&file.name)).collect();
        let run = self.run_id.get(..RUN_ID_CHARS).unwrap_or(&self.run_id);
        files.iter_mut().for_each(|file| file.name = format!("{}-{run}", file.name));
        let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();

        self.lock.check()?;
        stop.check()?;
        let intent = self.intent(IntentState::Uploading { names: names.clone() }, &names);
        let etag = intent.write_first(&self.folder)?;
        let asked = stop.clone();
        let staged = staged.into_iter().zip(names.iter().cloned()).collect();
        let uploads = self.folder.upload(staged, upload_bytes, move || asked.is_asked())?;
        self.lock.check()?;
        stop.check()?;
        let json = success_json(success, &files).map_err(|e| Error::internal("cannot write JSON").with_source(e))?;
        let success = String::from_utf8(json).map_err(|e| Error::internal("JSON is not UTF-8").with_source(e))?;
        let intent = self.intent(IntentState::Committing { uploads, replaced, success }, &names);
        intent.write_over(&self.folder, etag)?;
        self.begun = None;
        self.finish(&intent, stop)?;
        Ok(files)
    }

    /// What is about to be written: from here on it may be there.
    fn intent(&mut self, state: IntentState, names: &[String]) -> Arc<Intent> {
        let intent = Arc::new(Intent { run_id: self.run_id.clone(), state });
        self.begun = Some(Begun { intent: Arc::clone(&intent), names: names.to_vec() });
        intent
    }

    fn finish(&self, intent: &Intent, stop: &Stop) -> Result<()> {
        let place = self.folder.place();
        match intent.carry_out(&self.folder, &self.lock, stop) {
            Ok(true) => Ok(()),
            Ok(false) => {
                let message = format!("an upload to `{place}` is gone before it was completed");
                Err(Error::new(codes::COMMIT, message)
                    .with_hint(format!("the next run on `{place}`, or `logq gc {place}`, undoes what was begun")))
            }
            Err(error) => {
                Err(error
                    .with_hint(format!("the next run on `{place}`, or `logq gc {place}`, finishes what was begun")))
            }
        }
    }
}

impl Drop for ObjectCommitter {
    fn drop(&mut self) {
        drop(self.local.take());
        // Both go with the session at the latest, or are settled by the next run.
        let _ = self.fs.remove_dir_all(&self.staged);
        if let Some(Begun { intent, names }) = self.begun.take()
            && self.lock.check().is_ok()
        {
            let _ = intent.undo(&self.folder, &names);
        }
    }
}

fn lock_place(
    fs: Arc<dyn FileSystem>,
    s3: &S3,
    dest: &ObjectPath,
    temp_dir: &Path,
    job: &JobId,
) -> Result<(ObjectFolder, OutputLock)> {
    if dest.key.is_empty() {
        let message = format!("`{dest}` is a whole bucket, which an output does not replace");
        return Err(Error::new(codes::COMMIT, message).with_hint("write below it: `s3://bucket/name`"));
    }
    let folder = ObjectFolder::new(s3, dest)?;
    let lock = OutputLock::acquire(&folder, fs, temp_dir, &job.to_string())?;
    Ok((folder, lock))
}

/// Finishes or undoes what dead runs and copies left at `dest`, and says how many there were.
///
/// Of a whole bucket, which is no output, what copies to objects right below left.
///
/// Errors: those of [`ObjectCommitter::begin`], and [`codes::ACCESS_DENIED`] if uploads cannot be listed and stay.
pub(super) fn collect_garbage(fs: Arc<dyn FileSystem>, s3: &S3, dest: &ObjectPath, temp_dir: &Path) -> Result<usize> {
    let settled = if dest.key.is_empty() {
        settle_dead_copies(&ObjectFolder::new(s3, dest)?, None, temp_dir)?
    } else {
        // The record of a copy lies beside the object.
        let beside = ObjectFolder::new(s3, &dest.parent())?;
        let copies = settle_dead_copies(&beside, Some(&dest.key), temp_dir)?;
        let (folder, lock) = lock_place(fs, s3, dest, temp_dir, &JobId::new())?;
        copies.and(settle_dead_runs(&folder, &lock, temp_dir, &Stop::never())?)
    };
    match settled.left {
        Some(denied) => Err(denied),
        None => Ok(settled.n_runs),
    }
}

#[cfg(test)]
mod tests;
