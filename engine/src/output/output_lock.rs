//! Who may write a place in S3: one run at a time.
//!
//! The lock is an object, `_logq/lock`, that is made only if there is none. Its holder renews it; one that was not
//! renewed for a while is free for whoever replaces exactly it. So that nobody has to wait for that after a `kill -9`
//! on the same machine, the holder also locks a local file that says which run it is: the system lets go of that lock
//! however the process ends, and who gets it knows that the run named in it is dead.
//!
//! Clocks of machines that share a place must agree within a minute.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::object_committer::WORK;
use crate::error::{Error, Result, codes};
use crate::storage::filesystem::{FileLock, FileSystem, file_error};
use crate::storage::s3::ObjectFolder;

/// How often a lock is renewed, and after how long without that it is free.
const RENEWED_EVERY: Duration = Duration::from_secs(20);
const FREE_AFTER: SignedDuration = SignedDuration::from_secs(120);

/// What the object says.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    run_id: String,
    process: u32,
    expires: Timestamp,
}

/// The right to write one place. Dropped, it is free for the next run.
pub(super) struct OutputLock {
    folder: ObjectFolder,
    fs: Arc<dyn FileSystem>,
    local_path: PathBuf,
    _local: FileLock,
    is_lost: Arc<AtomicBool>,
    /// Dropped to stop the renewing thread.
    stop: Option<Sender<()>>,
    renewing: Option<JoinHandle<()>>,
}

impl OutputLock {
    /// Errors: [`codes::OUTPUT_LOCKED`] at once if another run holds it.
    pub fn acquire(folder: &ObjectFolder, fs: Arc<dyn FileSystem>, temp_dir: &Path, run_id: &str) -> Result<Self> {
        let place = folder.place().to_string();
        let local_path = temp_dir.join(format!(".logq-s3-{:08x}.lock", crc32fast::hash(place.as_bytes())));
        let last_here = fs.read(&local_path).unwrap_or_default();
        let local = fs.try_lock(&local_path, run_id).map_err(|e| file_error("lock", &local_path, e, codes::COMMIT))?;
        let Some(local) = local else {
            let holder = String::from_utf8_lossy(&last_here);
            return Err(locked(&place, &format!("run {holder}, on this machine")));
        };
        let mut lock = OutputLock {
            folder: folder.clone(),
            fs,
            local_path,
            _local: local,
            is_lost: Arc::default(),
            stop: None,
            renewing: None,
        };
        let etag = take(folder, run_id, &last_here)?;
        let (stop, stopped) = channel();
        let (folder, run_id, is_lost) = (folder.clone(), run_id.to_owned(), Arc::clone(&lock.is_lost));
        let renewing = std::thread::Builder::new().name("logq-lock".to_owned()).spawn(move || {
            let mut etag = etag;
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(RENEWED_EVERY) {
                match replace(&folder, &run_id, etag.clone()) {
                    Ok(Some(renewed)) => etag = renewed,
                    Ok(None) => return is_lost.store(true, Ordering::Relaxed),
                    // The next time may go better, and there is time for some.
                    Err(_) => {}
                }
            }
        });
        lock.stop = Some(stop);
        lock.renewing =
            Some(renewing.map_err(|e| Error::internal("the thread that renews a lock cannot start").with_source(e))?);
        Ok(lock)
    }

    /// Fails if somebody took the lock away, because it was not renewed in time.
    pub fn check(&self) -> Result<()> {
        if self.is_lost.load(Ordering::Relaxed) {
            let message =
                format!("another run took `{}` over, since this one did not renew its lock", self.folder.place());
            return Err(Error::new(codes::COMMIT, message));
        }
        Ok(())
    }
}

impl Drop for OutputLock {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(renewing) = self.renewing.take() {
            let _ = renewing.join();
            if self.check().is_ok() {
                // One that stays is free after a while.
                let _ = self.folder.delete(&[lock_name()]);
            }
        }
        // Removed while locked, so that nobody can lock a file that is about to lose its name.
        let _ = self.fs.remove_file(&self.local_path);
    }
}

impl std::fmt::Debug for OutputLock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.folder.place().fmt(f)
    }
}

fn lock_name() -> String {
    format!("{WORK}lock")
}

fn note(run_id: &str) -> Vec<u8> {
    let expires = Timestamp::now() + FREE_AFTER;
    let note = Note { run_id: run_id.to_owned(), process: std::process::id(), expires };
    serde_json::to_vec(&note).expect("plain data has a JSON form")
}

/// Makes the object, or replaces that of a dead run; gives its entity tag. The run whose id is `dead` is dead.
fn take(folder: &ObjectFolder, run_id: &str, dead: &[u8]) -> Result<Option<String>> {
    // Again, since a lock may be released between two requests, and an answer be lost.
    for _ in 0..3 {
        match folder.put_new(&lock_name(), note(run_id)) {
            Ok(Some(etag)) => return Ok(etag),
            Ok(None) => {}
            Err(error) if error.code() == codes::STORAGE => {}
            Err(error) => return Err(error),
        }
        let (text, etag) = match folder.get(&lock_name()) {
            Ok(found) => found,
            Err(error) if error.code() == codes::NOT_FOUND => continue,
            Err(error) => return Err(error),
        };
        let found: Option<Note> = serde_json::from_slice(&text).ok();
        let is_free = match &found {
            // The answer to our own request was lost.
            Some(note) if note.run_id == run_id => return Ok(etag),
            Some(note) => note.run_id.as_bytes() == dead || note.expires < Timestamp::now(),
            None => false,
        };
        if is_free && let Some(etag) = replace(folder, run_id, etag)? {
            return Ok(etag);
        }
        let holder = match found {
            Some(note) => format!("run {}, process {}, at least until {}", note.run_id, note.process, note.expires),
            None => "nobody knows who".to_owned(),
        };
        return Err(locked(&folder.place().to_string(), &holder));
    }
    Err(locked(&folder.place().to_string(), "several runs, one after the other"))
}

/// Replaces the object that has the entity tag; `None` if that one is gone.
fn replace(folder: &ObjectFolder, run_id: &str, etag: Option<String>) -> Result<Option<Option<String>>> {
    match folder.put_over(&lock_name(), note(run_id), etag) {
        Ok(Some(etag)) => Ok(Some(etag)),
        // It may be our own that is there: an answer may be lost.
        Ok(None) => {
            let (text, etag) = folder.get(&lock_name())?;
            let found: Option<Note> = serde_json::from_slice(&text).ok();
            Ok(found.filter(|found| found.run_id == run_id).map(|_| etag))
        }
        Err(error) => Err(error),
    }
}

fn locked(place: &str, holder: &str) -> Error {
    Error::new(codes::OUTPUT_LOCKED, format!("another run is writing `{place}` ({holder})"))
}
