//! Records of uploads that copies make, so that those of a copy that was killed can be found and given up.
//!
//! A copy writes under a name that others may write, too, and S3 does not tell whose an upload is. So its id is written
//! down before the first part is sent, beside the object that it is to become, as `_logq/copy-….json`, and nothing is ever
//! given up that no record names. What is not found is an upload whose copy died between these two requests: it has no
//! parts and costs nothing.
//!
//! A copy that lives renews its record; one that was not renewed for a while is dead. So is, at once, one whose local
//! lock file is there and free. Whoever may not write beside the object copies without a record.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::task::AbortHandle;
use uuid::Uuid;

use super::bucket::{Bucket, Upload};
use super::{Network, ObjectFolder, WORK};
use crate::error::{Error, Result, codes};
use crate::storage::filesystem::{FileLock, FileSystem, LocalFileSystem};

/// How often a record is renewed, and after how long without that its copy is dead: as with the lock of an output.
const RENEWED_EVERY: Duration = Duration::from_secs(20);
const DEAD_AFTER: SignedDuration = SignedDuration::from_secs(120);

/// How the names of records start, in the folder of the object.
const START: &str = "copy-";

/// What a record says.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Note {
    upload: Upload,
    expires: Timestamp,
}

impl Note {
    fn json(upload: &Upload) -> Result<Vec<u8>> {
        let note = Note { upload: upload.clone(), expires: Timestamp::now() + DEAD_AFTER };
        serde_json::to_vec(&note).map_err(|e| Error::internal("cannot write JSON").with_source(e))
    }
}

/// The record of an upload under way. Dropped, it stays, for whoever settles what is left.
pub(super) struct CopyRecord {
    bucket: Arc<Bucket>,
    network: Network,
    key: String,
    local: Option<(PathBuf, FileLock)>,
    renewing: AbortHandle,
}

impl CopyRecord {
    /// Writes the record of an upload that was just begun; `None` if that is not allowed.
    pub fn begin(bucket: &Arc<Bucket>, network: &Network, temp_dir: &Path, upload: &Upload) -> Result<Option<Self>> {
        let id = Uuid::new_v4();
        let key = format!("{}{WORK}{START}{id}.json", folder_of(&upload.key));
        let json = Note::json(upload)?;
        let path = local_path(temp_dir, &id);
        // Before the record, or somebody might find that without it. Without the file the record alone tells, after a while.
        let locked = LocalFileSystem.create_dir_all(temp_dir).and_then(|()| LocalFileSystem.try_lock(&path, ""));
        let local = locked.ok().flatten().map(|lock| (path, lock));
        let put = {
            let (bucket, key) = (Arc::clone(bucket), key.clone());
            network.wait(async move { bucket.put(&key, json.into()).await })
        };
        let etag = match put.and_then(|put| put) {
            Ok(etag) => etag,
            Err(error) => {
                if let Some((path, _lock)) = &local {
                    let _ = LocalFileSystem.remove_file(path);
                }
                return if error.code() == codes::ACCESS_DENIED { Ok(None) } else { Err(error) };
            }
        };
        let renewing = renew(Arc::clone(bucket), key.clone(), upload.clone(), etag);
        let renewing = network.handle.spawn(renewing).abort_handle();
        Ok(Some(CopyRecord { bucket: Arc::clone(bucket), network: network.clone(), key, local, renewing }))
    }

    /// Removes the record of an upload that was completed or given up. One that cannot be removed does no harm.
    pub fn remove(self) {
        self.renewing.abort();
        let (bucket, keys) = (Arc::clone(&self.bucket), [self.key.clone()]);
        let removed = self.network.wait(async move { bucket.delete(&keys).await });
        // While the record is there, the local file tells that nobody works on it any more.
        if let (Ok(Ok(())), Some((path, _lock))) = (removed, &self.local) {
            let _ = LocalFileSystem.remove_file(path);
        }
    }
}

impl Drop for CopyRecord {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

/// Renews a record until somebody else has changed or removed it.
async fn renew(bucket: Arc<Bucket>, key: String, upload: Upload, mut etag: Option<String>) {
    loop {
        tokio::time::sleep(RENEWED_EVERY).await;
        let Ok(json) = Note::json(&upload) else { return };
        match bucket.put_over(&key, json.into(), etag.clone()).await {
            Ok(Some(renewed)) => etag = renewed,
            // It may be our own that is there: an answer may be lost.
            Ok(None) => match bucket.get_versioned(&key).await {
                Ok((text, found)) if is_of(&text, &upload) => etag = found,
                Ok(_) => return,
                Err(error) if error.code() == codes::NOT_FOUND => return,
                Err(_) => {}
            },
            // The next time may go better, and there is time for some.
            Err(_) => {}
        }
    }
}

fn is_of(note: &[u8], upload: &Upload) -> bool {
    serde_json::from_slice::<Note>(note).is_ok_and(|note| note.upload == *upload)
}

impl ObjectFolder {
    /// Whether `name` is that of a record of a copy to an object of this very folder.
    pub fn is_copy_record(name: &str) -> bool {
        id_of(name).is_some()
    }

    /// Names of the records in this very folder.
    pub fn copy_records(&self) -> Result<Vec<String>> {
        let names = self.below(WORK).list()?.into_iter().map(|name| format!("{WORK}{name}"));
        Ok(names.filter(|name| Self::is_copy_record(name)).collect())
    }

    /// Gives up the upload that the record `name` tells of, if its copy is dead, and removes the record; whether it did.
    /// `of_key` is the only object whose record is meant, if it is not all the same.
    ///
    /// Errors: `ACCESS_DENIED`, `STORAGE`. A record that cannot be read stays where it is.
    pub fn settle_copy(&self, name: &str, of_key: Option<&str>, temp_dir: &Path) -> Result<bool> {
        let Some(id) = id_of(name) else { return Ok(false) };
        let text = match self.get(name) {
            Err(error) if error.code() == codes::NOT_FOUND => return Ok(false),
            found => found?.0,
        };
        let Ok(note) = serde_json::from_slice::<Note>(&text) else { return Ok(false) };
        // A record speaks for objects beside it alone.
        let is_meant =
            folder_of(&note.upload.key) == self.place().folder() && of_key.is_none_or(|key| key == note.upload.key);
        if !is_meant || !is_dead(&note, &local_path(temp_dir, &id)) {
            return Ok(false);
        }
        self.abort_upload(note.upload)?;
        self.delete(&[name.to_owned()])?;
        Ok(true)
    }
}

/// Whether the copy of a record has ended. A local lock file of a dead one is removed.
fn is_dead(note: &Note, local: &Path) -> bool {
    if let Ok(Some(_)) = LocalFileSystem.kind(local)
        && let Ok(lock) = LocalFileSystem.try_lock(local, "")
    {
        let Some(_lock) = lock else { return false };
        let _ = LocalFileSystem.remove_file(local);
        return true;
    }
    note.expires < Timestamp::now()
}

fn id_of(name: &str) -> Option<Uuid> {
    let id = name.strip_prefix(WORK)?.strip_prefix(START)?.strip_suffix(".json")?;
    Uuid::try_parse(id).ok()
}

fn local_path(temp_dir: &Path, id: &Uuid) -> PathBuf {
    temp_dir.join(format!(".logq-s3-copy-{id}.lock"))
}

/// The part of a key up to its last slash.
fn folder_of(key: &str) -> &str {
    key.rfind('/').map_or("", |slash| &key[..=slash])
}
