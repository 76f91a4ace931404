//! Who may write a place in S3: one run at a time.
//!
//! The lock is an object, `_logq/lock`, that is made only if there is none. Its holder renews it; one that was not
//! renewed for a while is free for whoever replaces exactly it. So that nobody has to wait for that after a `kill -9`
//! on the same machine, the holder also locks a local file that says which run it is: the system lets go of that lock
//! however the process ends, and who gets it knows that the run named in it is dead.
//!
//! A holder that could not renew its lock, since its machine slept or was cut off, stops before the lock is free: it
//! goes by the clock on the wall. Clocks of machines that share a place must agree within [`MARGIN`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, codes};
use crate::storage::filesystem::{FileLock, FileSystem};
use crate::storage::s3::{ObjectFolder, WORK};

/// How often a lock is renewed, and after how long without that it is free.
const RENEWED_EVERY: Duration = Duration::from_secs(20);
const FREE_AFTER: SignedDuration = SignedDuration::from_secs(120);

/// How long before it is free its holder takes it for lost.
const MARGIN: SignedDuration = SignedDuration::from_secs(30);

/// What the object says.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    run_id: String,
    process: u32,
    expires: Timestamp,
}

impl Note {
    fn new(run_id: &str) -> Note {
        let expires = Timestamp::now() + FREE_AFTER;
        Note { run_id: run_id.to_owned(), process: std::process::id(), expires }
    }

    fn json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|e| Error::internal("cannot write JSON").with_source(e))
    }

    fn is_free(&self) -> bool {
        self.expires < Timestamp::now()
    }

    fn holder(&self) -> String {
        format!("run {}, process {}, at least until {}", self.run_id, self.process, self.expires)
    }
}

/// The object as this run wrote it last.
#[derive(Debug)]
struct Held {
    etag: Option<String>,
    until: Timestamp,
}

/// The right to write one place. Dropped, it is free for the next run.
pub(super) struct OutputLock {
    folder: ObjectFolder,
    fs: Arc<dyn FileSystem>,
    run_id: String,
    /// The local file, if it could be made: another user of the machine may own one of that name.
    local: Option<(PathBuf, FileLock)>,
    /// Until when it is held, in seconds since 1970: as long as it is renewed, that is put off.
    held_until: Arc<AtomicI64>,
    /// Dropped to stop the renewing thread. Nobody waits for that: it may be in the middle of a request.
    _stop: Sender<()>,
}

impl OutputLock {
    /// Errors: [`codes::OUTPUT_LOCKED`] at once if another run holds it.
    pub fn acquire(folder: &ObjectFolder, fs: Arc<dyn FileSystem>, temp_dir: &Path, run_id: &str) -> Result<Self> {
        let place = folder.place().to_string();
        let local_path = temp_dir.join(format!(".logq-s3-{:08x}.lock", crc32fast::hash(place.as_bytes())));
        let last_here = fs.read(&local_path).unwrap_or_default();
        let (local, dead) = match fs.create_dir_all(temp_dir).and_then(|()| fs.try_lock(&local_path, run_id)) {
            Ok(Some(local)) => (Some((local_path, local)), last_here),
            Ok(None) => {
                let holder = String::from_utf8_lossy(&last_here);
                return Err(locked(&place, &format!("run {holder}, on this machine")));
            }
            // The object alone decides then, and nobody is known to be dead.
            Err(_) => (None, Vec::new()),
        };
        let held_until = Arc::new(AtomicI64::new(i64::MIN));
        let (stop, stopped) = channel();
        let lock = OutputLock {
            folder: folder.clone(),
            fs,
            run_id: run_id.to_owned(),
            local,
            held_until: Arc::clone(&held_until),
            _stop: stop,
        };
        let Held { mut etag, until } = take(folder, run_id, &dead)?;
        held_until.store(until.as_second(), Ordering::SeqCst);
        let (folder, run_id) = (folder.clone(), run_id.to_owned());
        let renewing = move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(RENEWED_EVERY) {
                match replace(&folder, &run_id, etag.clone()) {
                    Ok(Some(held)) => {
                        etag = held.etag;
                        held_until.store(held.until.as_second(), Ordering::SeqCst);
                    }
                    Ok(None) => return held_until.store(i64::MIN, Ordering::SeqCst),
                    // The next time may go better, and there is time for some.
                    Err(_) => {}
                }
            }
        };
        std::thread::Builder::new()
            .name("logq-lock".to_owned())
            .spawn(renewing)
            .map_err(|e| Error::internal("the thread that renews a lock cannot start").with_source(e))?;
        Ok(lock)
    }

    /// Fails if another run took the lock away, or soon may, because it was not renewed in time.
    pub fn check(&self) -> Result<()> {
        let held_until = self.held_until.load(Ordering::SeqCst);
        if Timestamp::now().as_second() < held_until.saturating_sub(MARGIN.as_secs()) {
            return Ok(());
        }
        let message =
            format!("another run may have taken `{}` over, since this one did not renew its lock", self.folder.place());
        Err(Error::new(codes::COMMIT, message))
    }

    /// Makes it look as if it had been renewed last so long ago.
    #[cfg(test)]
    pub fn age(&self, by: SignedDuration) {
        self.held_until.fetch_sub(by.as_secs(), Ordering::SeqCst);
    }

    /// Removes the object, if it is still this run's.
    fn release(&self) -> Result<()> {
        self.check()?;
        let (text, _) = self.folder.get(&lock_name())?;
        match note_of(&text) {
            Some(note) if note.run_id == self.run_id => self.folder.delete(&[lock_name()]),
            _ => Ok(()),
        }
    }
}

impl Drop for OutputLock {
    fn drop(&mut self) {
        // One that stays is free after a while.
        let _ = self.release();
        // Removed while locked, so that nobody can lock a file that is about to lose its name.
        if let Some((path, _lock)) = &self.local {
            let _ = self.fs.remove_file(path);
        }
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

fn note_of(text: &[u8]) -> Option<Note> {
    serde_json::from_slice(text).ok()
}

/// Makes the object, or replaces that of a dead run. The run whose id is `dead` is dead.
fn take(folder: &ObjectFolder, run_id: &str, dead: &[u8]) -> Result<Held> {
    let mut failed = None;
    // Again, since a lock may be released between two requests, and an answer be lost.
    for _ in 0..3 {
        let note = Note::new(run_id);
        match folder.put_new(&lock_name(), note.json()?) {
            Ok(Some(etag)) => return Ok(Held { etag, until: note.expires }),
            Ok(None) => failed = None,
            Err(error) if error.code() == codes::STORAGE => failed = Some(error),
            Err(error) => return Err(error),
        }
        let (text, etag) = match folder.get(&lock_name()) {
            Ok(found) => found,
            Err(error) if error.code() == codes::NOT_FOUND => continue,
            Err(error) => return Err(error),
        };
        let holder = match note_of(&text) {
            // The answer to our own request was lost.
            Some(note) if note.run_id == run_id => return Ok(Held { etag, until: note.expires }),
            Some(note) if note.run_id.as_bytes() == dead || note.is_free() => match replace(folder, run_id, etag)? {
                Some(held) => return Ok(held),
                None => continue,
            },
            Some(note) => note.holder(),
            None => "nobody knows who".to_owned(),
        };
        return Err(locked(&folder.place().to_string(), &holder));
    }
    // A server that refuses the request each time is not one where others are faster.
    Err(failed.unwrap_or_else(|| locked(&folder.place().to_string(), "several runs, one after the other")))
}

/// Replaces the object that has the entity tag; `None` if that one is gone.
fn replace(folder: &ObjectFolder, run_id: &str, etag: Option<String>) -> Result<Option<Held>> {
    let note = Note::new(run_id);
    if let Some(etag) = folder.put_over(&lock_name(), note.json()?, etag)? {
        return Ok(Some(Held { etag, until: note.expires }));
    }
    // It may be our own that is there: an answer may be lost.
    match folder.get(&lock_name()) {
        Ok((text, etag)) => {
            let found = note_of(&text).filter(|found| found.run_id == run_id);
            Ok(found.map(|found| Held { etag, until: found.expires }))
        }
        Err(error) if error.code() == codes::NOT_FOUND => Ok(None),
        Err(error) => Err(error),
    }
}

/// Who is writing `folder`, if somebody is.
pub(super) fn living_holder(folder: &ObjectFolder) -> Result<Option<String>> {
    match folder.get(&lock_name()) {
        Ok((text, _)) => Ok(note_of(&text).filter(|note| !note.is_free()).map(|note| note.holder())),
        Err(error) if error.code() == codes::NOT_FOUND => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn locked(place: &str, holder: &str) -> Error {
    Error::new(codes::OUTPUT_LOCKED, format!("another run is writing `{place}` ({holder})"))
}
