//! The record of a commit to S3, and how it is carried out or undone: by the run itself, or by the next one. Records of
//! copies (`storage/s3/copy_record.rs`) are settled with it.
//!
//! A record that says `uploading` is undone: nothing of the run is to be seen yet. One that says `committing` is carried
//! out, unless an upload is gone that was not completed, as a lifecycle rule of the bucket may make it go. Old objects
//! are deleted only after all uploads are completed, so the old content is still whole then, and what was completed is
//! deleted instead.

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Stop;
use super::output_lock::{OutputLock, living_holder};
use super::success::{SUCCESS_FILE, with_etags};
use crate::error::{Error, Result, codes};
use crate::storage::s3::{ObjectFolder, PendingUpload, WORK};

/// Objects that are deleted before it is asked again whether the lock is held.
const DELETED_AT_ONCE: usize = 1000;

/// What a run is about to do, for whoever has to finish or undo it.
///
/// Readers look at `state`, too (`storage/s3/record.rs`).
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Intent {
    pub run_id: String,
    pub state: IntentState,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum IntentState {
    Uploading { names: Vec<String> },
    Committing { uploads: Vec<PendingUpload>, replaced: Vec<String>, success: String },
}

/// What became of dead runs and copies.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub n_runs: usize,
    /// Why uploads of one of them are left where they are: they cost, but nobody sees them.
    pub left: Option<Error>,
}

impl Settled {
    fn add_copy(&mut self, settled: Result<bool>) -> Result<()> {
        match settled {
            Ok(is_settled) => self.n_runs += usize::from(is_settled),
            Err(error) if error.code() == codes::ACCESS_DENIED => self.left = Some(error),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// This and what became of others.
    pub fn and(self, other: Settled) -> Settled {
        Settled { n_runs: self.n_runs + other.n_runs, left: self.left.or(other.left) }
    }
}

impl Intent {
    fn name(&self) -> String {
        format!("{WORK}commit-{}.json", self.run_id)
    }

    fn json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec_pretty(self).map_err(|e| Error::internal("cannot write JSON").with_source(e))
    }

    /// Writes it for the first time, and gives its entity tag.
    pub fn write_first(&self, folder: &ObjectFolder) -> Result<Option<String>> {
        match folder.put_new(&self.name(), self.json()?)? {
            Some(etag) => Ok(etag),
            // The name is this run's alone: it is ours that is there, and an answer was lost.
            None => folder.get(&self.name()).map(|(_, etag)| etag),
        }
    }

    /// Writes it over the one that has the entity tag. Errors: `COMMIT` if another run has removed that.
    pub fn write_over(&self, folder: &ObjectFolder, etag: Option<String>) -> Result<()> {
        let json = self.json()?;
        if folder.put_over(&self.name(), json.clone(), etag)?.is_some() {
            return Ok(());
        }
        match folder.get(&self.name()) {
            Ok((found, _)) if found == json => Ok(()),
            Err(error) if error.code() != codes::NOT_FOUND => Err(error),
            _ => {
                let message = format!("another run undid what this one had uploaded to `{}`", folder.place());
                Err(Error::new(codes::COMMIT, message))
            }
        }
    }

    /// Undoes a commit that failed. It says `uploading` again before the uploads go, so that nobody ever finds one that
    /// says `committing` and cannot be carried out.
    pub fn undo(&self, folder: &ObjectFolder, names: &[String]) -> Result<()> {
        if let IntentState::Committing { .. } = self.state {
            let state = IntentState::Uploading { names: names.to_vec() };
            folder.put(&self.name(), Intent { run_id: self.run_id.clone(), state }.json()?)?;
        }
        folder.abort_uploads(names)?;
        folder.delete(&[self.name()])
    }

    /// Carries out an intent to commit, and says whether it can be. Each step may have been done before.
    ///
    /// Errors: `COMMIT` if the lock is not held any more; then all that follows is the next holder's. `CANCELLED` between
    /// two steps when a stop is due; then all that follows is the next run's.
    pub fn carry_out(&self, folder: &ObjectFolder, lock: &OutputLock, stop: &Stop) -> Result<bool> {
        let check = || lock.check().and_then(|()| stop.check_due());
        let IntentState::Committing { uploads, replaced, success } = &self.state else {
            return Err(Error::internal("a commit that is still uploading is finished"));
        };
        check()?;
        if replaced.iter().any(|name| name == SUCCESS_FILE) {
            folder.delete(&[SUCCESS_FILE.to_owned()])?;
        }
        check()?;
        let due = stop.clone();
        let Some(made) = folder.complete(uploads.clone(), move || due.is_due())? else { return Ok(false) };
        // An upload whose first answer was lost was begun twice. Not everybody may list uploads.
        check()?;
        fine_if_denied(folder.abort_uploads(&names_of(folder, uploads)))?;
        for names in replaced.chunks(DELETED_AT_ONCE) {
            check()?;
            folder.delete(names)?;
        }
        check()?;
        let etags = made.into_iter().filter_map(|object| Some((object.name, object.etag?))).collect();
        // Not this version's document, if it cannot be read.
        let success = with_etags(success, etags).unwrap_or_else(|_| success.clone().into_bytes());
        folder.put(SUCCESS_FILE, success)?;
        folder.delete(&[self.name()])?;
        Ok(true)
    }

    /// Carries it out or undoes it for a run that is dead. Gives what is left for want of a permission.
    fn settle(
        &self,
        folder: &ObjectFolder,
        lock: &OutputLock,
        stop: &Stop,
        found: &HashSet<&str>,
    ) -> Result<Option<Error>> {
        stop.check()?;
        let (uploads, replaced) = match &self.state {
            IntentState::Uploading { names } => {
                lock.check()?;
                if let Some(denied) = fine_if_denied(folder.abort_uploads(names))? {
                    return Ok(Some(denied));
                }
                folder.delete(&[self.name()])?;
                return Ok(None);
            }
            IntentState::Committing { uploads, replaced, .. } => (uploads, replaced),
        };
        if can_be_completed(folder, uploads, found)? && self.carry_out(folder, lock, stop)? {
            return Ok(None);
        }
        lock.check()?;
        let names = names_of(folder, uploads);
        fine_if_denied(folder.abort_uploads(&names))?;
        // Without the old content, what there is of the new one is all there is.
        if replaced.iter().all(|name| name == SUCCESS_FILE || found.contains(name.as_str())) {
            folder.delete(&names)?;
        }
        folder.delete(&[self.name()])?;
        Ok(None)
    }
}

/// Whether each upload is still there, or its object is. `found` are the names of all objects.
fn can_be_completed(folder: &ObjectFolder, uploads: &[PendingUpload], found: &HashSet<&str>) -> Result<bool> {
    let is_missing = |pending: &&PendingUpload| !found.contains(folder.name(&pending.upload.key).as_str());
    let missing: Vec<&PendingUpload> = uploads.iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(true);
    }
    match folder.unfinished_uploads() {
        Ok(unfinished) => Ok(missing.iter().all(|pending| unfinished.contains(&pending.upload))),
        // Whoever may not look has to try.
        Err(error) if error.code() == codes::ACCESS_DENIED => Ok(true),
        Err(error) => Err(error),
    }
}

fn names_of(folder: &ObjectFolder, uploads: &[PendingUpload]) -> Vec<String> {
    uploads.iter().map(|pending| folder.name(&pending.upload.key)).collect()
}

fn fine_if_denied<T>(result: Result<T>) -> Result<Option<Error>> {
    match result {
        Ok(_) => Ok(None),
        Err(error) if error.code() == codes::ACCESS_DENIED => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

/// The destination whose work `name` is, as a path below with a slash at its end, and what the work is called there.
fn work(name: &str) -> Option<(&str, &str)> {
    let start = if name.starts_with(WORK) { 0 } else { name.find(&format!("/{WORK}"))? + 1 };
    Some((&name[..start], &name[start + WORK.len()..]))
}

/// Whether an object is a record of this kind, or the lock, or that of a destination further down.
pub(super) fn is_work(name: &str) -> bool {
    work(name).is_some()
}

/// Finishes or undoes what dead runs left half done in `folder` and in destinations below.
///
/// Called with the lock of `folder` held, so that every record found there belongs to a dead run. Errors:
/// [`codes::OUTPUT_LOCKED`] if a run is writing below.
pub(super) fn settle_dead_runs(
    folder: &ObjectFolder,
    lock: &OutputLock,
    temp_dir: &Path,
    stop: &Stop,
) -> Result<Settled> {
    let names = folder.list()?;
    refuse_if_locked_below(folder, &names)?;
    let mut settled = Settled::default();
    for name in &names {
        let Some((below, record)) = work(name) else { continue };
        let place = folder.below(below);
        let record = format!("{WORK}{record}");
        if ObjectFolder::is_copy_record(&record) {
            settled.add_copy(place.settle_copy(&record, None, temp_dir))?;
        } else if record.starts_with(&format!("{WORK}commit-")) {
            let found = names.iter().filter_map(|name| name.strip_prefix(below)).collect();
            let left = read(&place, &record)?.settle(&place, lock, stop, &found)?;
            settled.n_runs += usize::from(left.is_none());
            settled.left = left.or(settled.left);
        }
    }
    Ok(settled)
}

/// Gives up what copies that died had uploaded to objects of `folder` itself; `of_key` is the only one that is meant, if it
/// is not all the same. Needs no lock: a copy has none either. Whoever may not list beside an output knows of none.
pub(super) fn settle_dead_copies(folder: &ObjectFolder, of_key: Option<&str>, temp_dir: &Path) -> Result<Settled> {
    let mut settled = Settled::default();
    let records = match folder.copy_records() {
        Err(error) if error.code() == codes::ACCESS_DENIED => return Ok(settled),
        records => records?,
    };
    for record in records {
        settled.add_copy(folder.settle_copy(&record, of_key, temp_dir))?;
    }
    Ok(settled)
}

/// Fails if a living run holds a destination below `folder`, of the objects of which `names` are the names.
pub(super) fn refuse_if_locked_below(folder: &ObjectFolder, names: &[String]) -> Result<()> {
    for name in names {
        if let Some((below, "lock")) = work(name).filter(|(below, _)| !below.is_empty()) {
            let place = folder.below(below);
            if let Some(holder) = living_holder(&place)? {
                return Err(super::output_lock::locked(&place.place().to_string(), &holder));
            }
        }
    }
    Ok(())
}

fn read(folder: &ObjectFolder, name: &str) -> Result<Intent> {
    let (text, _) = folder.get(name)?;
    serde_json::from_slice(&text).map_err(|error| {
        let place = folder.place().child(name);
        Error::new(codes::COMMIT, format!("`{place}` is not the record of a commit"))
            .with_source(error)
            .with_hint("if nobody knows better what it is, delete this object")
    })
}
