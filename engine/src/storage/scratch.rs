//! A process's directory for temporary files, and the removal of those that killed sessions left behind.
//!
//! Each directory holds a file `lock` that its owner keeps locked; the system lets go of the lock however the process
//! ends. Whoever makes a directory first removes its neighbours that nobody holds.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

use super::filesystem::file_error;
use crate::error::{Result, codes};

const PREFIX: &str = "logq-";
const LOCK: &str = "lock";
/// A directory without a lock is one that is just being made, unless it is this old.
const MADE_WITHIN: Duration = Duration::from_secs(3600);

/// Removed with all that is in it when it is dropped.
#[derive(Debug)]
pub struct ScratchDirectory {
    path: PathBuf,
    /// Held, never read.
    _lock: File,
}

impl ScratchDirectory {
    /// Makes one in `parent`, and removes those there that belong to nobody.
    ///
    /// Errors: `DISK_LIMIT`, `ACCESS_DENIED`, `STORAGE`, if it cannot be made. What cannot be removed stays for the next session.
    pub fn create(parent: &Path) -> Result<Self> {
        sweep(parent);
        let path = parent.join(format!("{PREFIX}{}", Uuid::new_v4().simple()));
        let made = || -> io::Result<File> {
            make_private(&path)?;
            // It gets its name when it is locked, so that no other session finds it free.
            let unlocked = path.join("new");
            let lock = File::create_new(&unlocked)?;
            // Where files cannot be locked, nobody finds it free either.
            if let Err(TryLockError::WouldBlock) = lock.try_lock() {
                return Err(io::Error::other("another process has locked it"));
            }
            fs::rename(&unlocked, path.join(LOCK))?;
            Ok(lock)
        };
        let lock = made().map_err(|error| {
            let _ = fs::remove_dir_all(&path);
            let error = file_error("make a directory for temporary files in", parent, error, codes::STORAGE);
            error.with_hint("name another with --temp-dir, LOGQ_TEMP_DIR or TMPDIR")
        })?;
        Ok(ScratchDirectory { path, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ScratchDirectory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Makes a directory that only its owner may look into.
#[cfg(unix)]
pub fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;

    fs::DirBuilder::new().mode(0o700).create(path)
}

/// Makes a directory.
#[cfg(not(unix))]
pub fn make_private(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Removes the directories of sessions that are gone.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_ours = entry
            .file_name()
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX))
            .is_some_and(|id| id.len() == 32 && Uuid::try_parse(id).is_ok());
        // Links are not followed: what they lead to is not ours.
        if is_ours && entry.file_type().is_ok_and(|file_type| file_type.is_dir()) && is_abandoned(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_abandoned(path: &Path) -> bool {
    let lock = path.join(LOCK);
    // Not a pipe, which would wait for a writer, and nothing that a link leads to.
    if lock.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return false;
    }
    match File::open(lock) {
        Ok(lock) => match lock.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = path.metadata().and_then(|metadata| metadata.modified());
            made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > MADE_WITHIN))
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_what_is_held_and_what_is_not_ours() {
        let parent = tempfile::tempdir().unwrap();
        let first = ScratchDirectory::create(parent.path()).unwrap();
        fs::write(first.path().join("spilled"), "rows").unwrap();
        fs::create_dir(parent.path().join("logq-of-a-user")).unwrap();
        let being_made = parent.path().join(format!("{PREFIX}{}", Uuid::new_v4().simple()));
        fs::create_dir(&being_made).unwrap();

        let second = ScratchDirectory::create(parent.path()).unwrap();
        assert!(first.path().join("spilled").exists() && being_made.exists());
        assert!(parent.path().join("logq-of-a-user").exists());

        let (first_path, second_path) = (first.path().to_owned(), second.path().to_owned());
        drop((first, second));
        assert!(!first_path.exists() && !second_path.exists());
    }

    #[test]
    fn removes_what_a_killed_session_left() {
        let parent = tempfile::tempdir().unwrap();
        let left = parent.path().join(format!("{PREFIX}{}", Uuid::new_v4().simple()));
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        fs::create_dir(left.join("datafusion-abc")).unwrap();
        fs::write(left.join("datafusion-abc/spilled"), "rows").unwrap();

        let _next = ScratchDirectory::create(parent.path()).unwrap();
        assert!(!left.exists());
    }

    #[test]
    fn says_where_it_cannot_be_made() {
        let parent = tempfile::tempdir().unwrap();
        let error = ScratchDirectory::create(&parent.path().join("missing")).unwrap_err();
        assert!(error.message().contains("missing"), "{}", error.message());
    }
}
