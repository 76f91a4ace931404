//! What runs that died left beside a destination, and how it is settled before the next one starts.
//!
//! Everything of a run lies in one hidden work directory beside its destination:
//!
//! ```text
//! parent/.<name>._logq_lock          locked while a run lives; the file itself means nothing
//! parent/.<name>._logq_tmp-<job id>/
//!     attempts/000003_1              file of task 3, attempt 1
//!     result/                        the next content of <name>, complete once it holds _SUCCESS
//!     old/                           the former content of <name>; only where names cannot be exchanged
//! ```
//!
//! No journal file is needed, since the names are the journal: `old` is there exactly if the destination was moved
//! aside, and `result` is gone exactly if it has become the destination.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result, codes};
use crate::storage::filesystem::{EntryKind, FileSystem, file_error};

/// The destination of a run and the places that go with it.
#[derive(Debug, Clone)]
pub(super) struct Destination {
    /// Free of symbolic links.
    pub path: PathBuf,
    pub parent: PathBuf,
    pub name: String,
}

impl Destination {
    pub fn lock_path(&self) -> PathBuf {
        self.parent.join(format!(".{}._logq_lock", self.name))
    }

    pub fn work_path(&self, job_id: &str) -> PathBuf {
        self.parent.join(format!("{}{job_id}", self.work_prefix()))
    }

    fn work_prefix(&self) -> String {
        format!(".{}._logq_tmp-", self.name)
    }
}

/// Finishes or undoes what dead runs left half done, removes their work directories, and says how many there were.
///
/// Called with the destination's lock held, so that every work directory found belongs to a dead run.
pub(super) fn settle_dead_runs(fs: &dyn FileSystem, dest: &Destination) -> Result<usize> {
    let mut n_settled = 0;
    let prefix = dest.work_prefix();
    let entries = fs.read_dir(&dest.parent).map_err(|e| file_error("list", &dest.parent, e, codes::STORAGE))?;
    for entry in entries {
        let is_ours = entry.name.strip_prefix(&prefix).is_some_and(|id| uuid::Uuid::try_parse(id).is_ok());
        if is_ours && entry.kind == EntryKind::Directory {
            let work = dest.parent.join(&entry.name);
            settle(fs, dest, &work)?;
            fs.remove_dir_all(&work).map_err(|e| file_error("remove", &work, e, codes::STORAGE))?;
            n_settled += 1;
        }
    }
    Ok(n_settled)
}

/// Puts the destination in place if a run died between moving the old one aside and naming the new one.
fn settle(fs: &dyn FileSystem, dest: &Destination, work: &Path) -> Result<()> {
    let exists = |path: &Path| match fs.kind(path) {
        Ok(kind) => Ok(kind.is_some()),
        Err(e) => Err(file_error("look at", path, e, codes::STORAGE)),
    };
    let result = work.join("result");
    let old = work.join("old");
    if !exists(&old)? || !exists(&result)? {
        return Ok(());
    }
    if exists(&dest.path)? {
        // Only somebody else can have made it. Removing `old` now could remove the only copy of the old data.
        let message = format!("`{}` appeared while a run that died was replacing it", dest.path.display());
        return Err(Error::new(codes::COMMIT, message)
            .with_hint(format!("its former content is in `{}`: move it away", old.display())));
    }
    fs.rename(&result, &dest.path).map_err(|e| file_error("rename", &result, e, codes::COMMIT))
}
