//! The output committer for S3, where nothing can be renamed: staged on local disk, uploaded, then made visible.
//!
//! S3 has no step that changes several objects. What is promised instead: whoever waits for `_SUCCESS` of a new run sees
//! all of it; old objects are deleted only when all new ones are there; a commit that died is finished or undone by the
//! next run on the same place. Like S3A's staging committer (Hadoop, "S3A Committers: Architecture"), except that the
//! record of intent is on S3 and outlives the machine:
//!
//! 1. a lock object is made, if there is none (`output_lock.rs`), and dead runs are settled;
//! 2. attempts write to local disk, through the local committer: failed ones never reach S3;
//! 3. the intent is written: `uploading`, and the names;
//! 4. files are uploaded in parts; no upload is completed, so nobody sees them;
//! 5. the intent is written again: `committing`, with the uploads, the objects to delete and the text of `_SUCCESS`:
//!    from here on the only way is forward;
//! 6. the old `_SUCCESS` is deleted, uploads are completed, old objects are deleted, `_SUCCESS` is written;
//! 7. the intent is deleted, and the lock.
//!
//! New names must not be old ones, or a file would be replaced before its neighbours are there: a run over `000000_0`
//! writes `000000_1`, and the one after it `000000_0` again.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::OutputCommitter;
use super::output_lock::OutputLock;
use super::success::{CommittedFile, SUCCESS_FILE, SuccessInfo, success_json};
use crate::error::{Error, Result, codes};
use crate::id::JobId;
use crate::storage::ObjectPath;
use crate::storage::filesystem::FileSystem;
use crate::storage::s3::{ObjectFolder, PendingUpload, S3};

/// What the work of runs is called below a destination; readers hide it.
pub(super) const WORK: &str = "_logq/";

/// Collects the files of one job on local disk and makes them the content of a place in S3. Dropping it aborts.
#[derive(Debug)]
pub struct ObjectCommitter {
    folder: ObjectFolder,
    staged: PathBuf,
    run_id: String,
    /// `Some` until it is committed.
    local: Option<OutputCommitter>,
    /// What is to be undone if the commit fails: names whose uploads may have begun.
    begun: Vec<String>,
    /// Released last.
    lock: OutputLock,
}

/// What a run is about to do, for whoever has to finish or undo it.
#[derive(Debug, Serialize, Deserialize)]
struct Intent {
    run_id: String,
    state: IntentState,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum IntentState {
    Uploading { names: Vec<String> },
    Committing { uploads: Vec<PendingUpload>, replaced: Vec<String>, success: String },
}

impl ObjectCommitter {
    /// Locks `dest`, settles what dead runs left there and makes the place on local disk, below `scratch`.
    ///
    /// Errors: [`codes::OUTPUT_LOCKED`] if another run is writing there, [`codes::COMMIT`] if `dest` is a whole bucket,
    /// [`codes::ACCESS_DENIED`], [`codes::STORAGE`].
    pub fn begin(
        fs: Arc<dyn FileSystem>,
        s3: &S3,
        dest: &ObjectPath,
        scratch: &Path,
        temp_dir: &Path,
        job: &JobId,
    ) -> Result<Self> {
        if dest.key.is_empty() {
            let message = format!("`{dest}` is a whole bucket, which an output does not replace");
            return Err(Error::new(codes::COMMIT, message).with_hint("write below it: `s3://bucket/name`"));
        }
        let folder = ObjectFolder::new(s3, dest)?;
        let run_id = job.to_string();
        let lock = OutputLock::acquire(&folder, Arc::clone(&fs), temp_dir, &run_id)?;
        settle_dead_runs(&folder)?;
        let staged = scratch.join(format!("output-{run_id}"));
        let local = OutputCommitter::begin(fs, &staged, job, false)?;
        Ok(ObjectCommitter { folder, staged, run_id, local: Some(local), begun: Vec::new(), lock })
    }

    /// The committer of the files on local disk.
    pub(super) fn local(&self) -> Result<&OutputCommitter> {
        self.local.as_ref().ok_or_else(|| Error::internal("an output is written after it was committed"))
    }

    pub(super) fn map_local(mut self, change: impl FnOnce(OutputCommitter) -> OutputCommitter) -> Self {
        self.local = self.local.take().map(change);
        self
    }

    /// Makes the chosen files the content of the destination.
    ///
    /// Errors: before the intent is to commit, the destination is untouched; after it, the next run finishes.
    pub fn commit(mut self, success: &SuccessInfo) -> Result<Vec<CommittedFile>> {
        let local = self.local.take().ok_or_else(|| Error::internal("an output is committed twice"))?;
        let mut files = local.commit(success)?;
        let replaced: Vec<String> = self.folder.list()?.into_iter().filter(|name| !name.starts_with(WORK)).collect();
        let staged: Vec<PathBuf> = files.iter().map(|file| self.staged.join(&file.name)).collect();
        rename_beside(&mut files, &replaced);
        let names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();

        self.begun.clone_from(&names);
        self.write_intent(IntentState::Uploading { names: names.clone() })?;
        let uploads = self.folder.upload(staged.into_iter().zip(names).collect())?;
        self.lock.check()?;
        let json = success_json(success, &files).map_err(|e| Error::internal("cannot write JSON").with_source(e))?;
        let success = String::from_utf8(json).map_err(|e| Error::internal("JSON is not UTF-8").with_source(e))?;
        let state = IntentState::Committing { uploads, replaced, success };
        let intent = self.write_intent(state)?;
        self.begun.clear();
        finish(&self.folder, intent).map_err(|error| {
            error.with_hint(format!("the next run on `{}`, or `logq gc`, finishes what was begun", self.folder.place()))
        })?;
        Ok(files)
    }

    fn write_intent(&self, state: IntentState) -> Result<Intent> {
        let intent = Intent { run_id: self.run_id.clone(), state };
        let json =
            serde_json::to_vec_pretty(&intent).map_err(|e| Error::internal("cannot write JSON").with_source(e))?;
        self.folder.put(&intent_name(&intent.run_id), json)?;
        Ok(intent)
    }
}

impl Drop for ObjectCommitter {
    fn drop(&mut self) {
        if !self.begun.is_empty() {
            // What stays is undone by the next run.
            let aborted = self.folder.abort_uploads(&self.begun);
            if aborted.is_ok() {
                let _ = self.folder.delete(&[intent_name(&self.run_id)]);
            }
        }
    }
}

fn intent_name(run_id: &str) -> String {
    format!("{WORK}commit-{run_id}.json")
}

/// Gives the files names that no old object has: `000000_0`, or `000000_1`, …
fn rename_beside(files: &mut [CommittedFile], old: &[String]) {
    let old: HashSet<&str> = old.iter().map(String::as_str).collect();
    let name = |task: usize, generation: usize| format!("{task:06}_{generation}");
    let is_free = |generation: &usize| (0..files.len()).all(|task| !old.contains(name(task, *generation).as_str()));
    let generation = (0..).find(is_free).unwrap_or_default();
    for (task, file) in files.iter_mut().enumerate() {
        file.name = name(task, generation);
    }
}

/// Finishes or undoes what dead runs left half done, and says how many there were.
///
/// Called with the destination's lock held, so that every intent found belongs to a dead run.
pub(super) fn settle_dead_runs(folder: &ObjectFolder) -> Result<usize> {
    let prefix = format!("{WORK}commit-");
    let names: Vec<String> = folder.list()?.into_iter().filter(|name| name.starts_with(&prefix)).collect();
    for name in &names {
        let (text, _) = folder.get(name)?;
        let intent: Intent = serde_json::from_slice(&text).map_err(|error| {
            let place = folder.place().child(name);
            Error::new(codes::COMMIT, format!("`{place}` is not the record of a commit")).with_source(error)
        })?;
        match &intent.state {
            IntentState::Uploading { names } => {
                folder.abort_uploads(names)?;
                folder.delete(&[intent_name(&intent.run_id)])?;
            }
            IntentState::Committing { .. } => finish(folder, intent)?,
        }
    }
    Ok(names.len())
}

/// Carries out an intent to commit. Each step may have been done before.
fn finish(folder: &ObjectFolder, intent: Intent) -> Result<()> {
    let IntentState::Committing { uploads, replaced, success } = intent.state else {
        return Err(Error::internal("a commit that is still uploading is finished"));
    };
    if replaced.iter().any(|name| name == SUCCESS_FILE) {
        folder.delete(&[SUCCESS_FILE.to_owned()])?;
    }
    let begun: Vec<String> = uploads.iter().map(|pending| folder.name(&pending.upload.key)).collect();
    folder.complete(uploads)?;
    // An upload whose first answer was lost was begun twice. Not everybody may list uploads.
    match folder.abort_uploads(&begun) {
        Err(error) if error.code() != codes::ACCESS_DENIED => return Err(error),
        _ => {}
    }
    folder.delete(&replaced)?;
    folder.put(SUCCESS_FILE, success.into_bytes())?;
    folder.delete(&[intent_name(&intent.run_id)])
}

#[cfg(test)]
mod tests;
