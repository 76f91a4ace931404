//! The objects below one place, for whoever writes there: plain calls that park until S3 has answered.

use std::collections::HashSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::bucket::{Bucket, PARTS_MAX, PendingUpload, Upload};
use super::{Network, S3};
use crate::error::{Error, Result, codes};
use crate::storage::{ObjectPath, io_error};

/// Bytes of a part. S3 takes 5 MiB and more, except for the last; larger files get larger parts.
const PART_BYTES: u64 = 8 << 20;
/// Parts of all files, or requests of another kind, that are under way at once.
const AT_ONCE: usize = 8;
/// The most memory that an upload makes use of.
pub const UPLOAD_BYTES_MAX: u64 = AT_ONCE as u64 * PART_BYTES;
/// How often it is asked whether to go on.
const ASKED_EVERY: Duration = Duration::from_millis(100);

/// An object that is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeObject {
    pub name: String,
    pub etag: Option<String>,
}

/// See the module. Names are relative to the place.
#[derive(Debug, Clone)]
pub struct ObjectFolder {
    bucket: Arc<Bucket>,
    network: Network,
    place: ObjectPath,
}

impl ObjectFolder {
    /// Asks for nothing yet. Errors: `BAD_SETTING` for an endpoint that is none.
    pub fn new(s3: &S3, place: &ObjectPath) -> Result<Self> {
        let (bucket, network) = s3.bucket(&place.bucket)?;
        Ok(ObjectFolder { bucket, network, place: place.clone() })
    }

    pub fn place(&self) -> &ObjectPath {
        &self.place
    }

    /// The place that `name`, which is empty or ends with a slash, has here.
    pub fn below(&self, name: &str) -> ObjectFolder {
        match name.strip_suffix('/') {
            Some(name) => ObjectFolder { place: self.place.child(name), ..self.clone() },
            None => self.clone(),
        }
    }

    /// Names of all objects below, hidden ones too.
    pub fn list(&self) -> Result<Vec<String>> {
        let folder = self.place.folder();
        let objects = self.wait({
            let folder = folder.clone();
            move |bucket| async move { bucket.list(&folder).await }
        })?;
        let names = objects.into_iter().filter_map(|object| Some(object.key.strip_prefix(&folder)?.to_owned()));
        Ok(names.filter(|name| !name.is_empty()).collect())
    }

    /// A small object and its entity tag. Errors: `NOT_FOUND`.
    pub fn get(&self, name: &str) -> Result<(Bytes, Option<String>)> {
        let key = self.key(name);
        self.wait(move |bucket| async move { bucket.get_versioned(&key).await })
    }

    /// Makes or replaces a small object.
    pub fn put(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let key = self.key(name);
        self.wait(move |bucket| async move { bucket.put(&key, bytes.into()).await.map(|_| ()) })
    }

    /// Makes a small object and gives its entity tag; `None` if there is one of that name, which may be this one.
    pub fn put_new(&self, name: &str, bytes: Vec<u8>) -> Result<Option<Option<String>>> {
        let key = self.key(name);
        self.wait(move |bucket| async move { bucket.put_new(&key, bytes.into()).await })
    }

    /// Replaces the small object that has the entity tag; `None` if there is none.
    pub fn put_over(&self, name: &str, bytes: Vec<u8>, etag: Option<String>) -> Result<Option<Option<String>>> {
        let key = self.key(name);
        self.wait(move |bucket| async move { bucket.put_over(&key, bytes.into(), etag).await })
    }

    /// Deletes objects; those that are gone are fine.
    pub fn delete(&self, names: &[String]) -> Result<()> {
        let keys: Vec<String> = names.iter().map(|name| self.key(name)).collect();
        self.wait(move |bucket| async move { bucket.delete(&keys).await })
    }

    /// Uploads files under names, in their order, so far that only the word is missing that makes objects of them. Parts
    /// that are under way take up to `memory_bytes`, or what one of them takes.
    ///
    /// Errors: `CANCELLED` soon after `is_stopped` says so; what was begun stays to be aborted.
    pub fn upload(
        &self,
        files: Vec<(PathBuf, String)>,
        memory_bytes: u64,
        is_stopped: impl Fn() -> bool + Send + 'static,
    ) -> Result<Vec<PendingUpload>> {
        let files: Vec<_> = files.into_iter().map(|(path, name)| (path, self.key(&name))).collect();
        self.wait(move |bucket| async move {
            let parts_free = PartsFree::new(memory_bytes);
            let uploads = files.into_iter().map(|(path, key)| {
                let (bucket, parts_free) = (Arc::clone(&bucket), &parts_free);
                async move { upload_file(&bucket, &path, &key, parts_free).await }
            });
            let uploaded = futures::stream::iter(uploads).buffered(AT_ONCE).try_collect();
            tokio::select! {
                uploaded = uploaded => uploaded,
                () = until(is_stopped) => Err(Error::new(codes::CANCELLED, "stopped while files were uploaded")),
            }
        })
    }

    /// Says the word, and gives the objects; `None` if it could not be said everywhere: an
    /// upload is gone and no such object is there. An upload that is completed already is fine.
    ///
    /// Errors: `CANCELLED` once `is_stopped` says so; what was asked by then is waited for.
    pub fn complete(
        &self,
        uploads: Vec<PendingUpload>,
        is_stopped: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Result<Option<Vec<MadeObject>>> {
        let names: Vec<String> = uploads.iter().map(|pending| self.name(&pending.upload.key)).collect();
        let completed = self.wait(move |bucket| async move {
            let is_stopped = &is_stopped;
            let completed = uploads.into_iter().map(|pending| {
                let bucket = Arc::clone(&bucket);
                async move {
                    match is_stopped() {
                        true => Ok(None),
                        false => complete(&bucket, &pending).await.map(Some),
                    }
                }
            });
            futures::stream::iter(completed).buffered(AT_ONCE).try_collect::<Vec<Option<Completed>>>().await
        })?;
        let mut made = Vec::new();
        let mut is_whole = true;
        for (name, completed) in names.into_iter().zip(completed) {
            match completed {
                None => return Err(Error::new(codes::CANCELLED, "stopped while uploads were completed")),
                Some(Completed::Gone) => is_whole = false,
                Some(Completed::Made { etag }) => made.push(MadeObject { name, etag }),
            }
        }
        Ok(is_whole.then_some(made))
    }

    /// All unfinished uploads to names below.
    pub fn unfinished_uploads(&self) -> Result<Vec<Upload>> {
        let folder = self.place.folder();
        self.wait(move |bucket| async move { bucket.list_uploads(&folder).await })
    }

    /// Gives up all unfinished uploads to these names.
    pub fn abort_uploads(&self, names: &[String]) -> Result<()> {
        let keys: HashSet<String> = names.iter().map(|name| self.key(name)).collect();
        let uploads = self.unfinished_uploads()?.into_iter().filter(move |upload| keys.contains(&upload.key));
        let uploads: Vec<Upload> = uploads.collect();
        self.wait(move |bucket| async move {
            let aborted = uploads.into_iter().map(|upload| {
                let bucket = Arc::clone(&bucket);
                async move { bucket.abort_upload(&upload).await }
            });
            futures::stream::iter(aborted).buffer_unordered(AT_ONCE).try_collect().await
        })
    }

    /// Gives up one upload; one that is gone already is fine.
    pub(super) fn abort_upload(&self, upload: Upload) -> Result<()> {
        self.wait(move |bucket| async move { bucket.abort_upload(&upload).await })
    }

    /// The name that `key` has here.
    pub fn name(&self, key: &str) -> String {
        key.strip_prefix(&self.place.folder()).unwrap_or(key).to_owned()
    }

    fn key(&self, name: &str) -> String {
        self.place.child(name).key
    }

    fn wait<T, F>(&self, work: impl FnOnce(Arc<Bucket>) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        self.network.wait(work(Arc::clone(&self.bucket)))?
    }
}

/// Waits until it is so.
async fn until(is_stopped: impl Fn() -> bool) {
    while !is_stopped() {
        tokio::time::sleep(ASKED_EVERY).await;
    }
}

/// Room for parts, counted in parts of the usual size.
struct PartsFree {
    free: Semaphore,
    n_parts: u32,
}

impl PartsFree {
    fn new(memory_bytes: u64) -> Self {
        let n_parts = (memory_bytes / PART_BYTES).clamp(1, AT_ONCE as u64) as u32;
        PartsFree { free: Semaphore::new(n_parts as usize), n_parts }
    }

    /// Waits for the room of one part. A part that is larger than all the room gets all of it.
    async fn take(&self, part_bytes: u64) -> Option<SemaphorePermit<'_>> {
        let wanted = part_bytes.div_ceil(PART_BYTES).clamp(1, u64::from(self.n_parts));
        self.free.acquire_many(wanted as u32).await.ok()
    }
}

/// A part is read, and takes memory, only once it has room in `parts_free`.
async fn upload_file(bucket: &Arc<Bucket>, path: &Path, key: &str, parts_free: &PartsFree) -> Result<PendingUpload> {
    let failed = |cause| io_error("read", path, cause);
    let file = Arc::new(File::open(path).map_err(failed)?);
    let bytes = file.metadata().map_err(failed)?.len();
    let part_bytes = PART_BYTES.max(bytes.div_ceil(PARTS_MAX));
    let upload = bucket.begin_upload(key).await?;
    let parts = (0..bytes.div_ceil(part_bytes).max(1)).map(|part_idx| {
        let (bucket, file, upload) = (Arc::clone(bucket), Arc::clone(&file), upload.clone());
        async move {
            let _mine = parts_free.take(part_bytes).await;
            let start = part_idx * part_bytes;
            let mut part = vec![0; (bytes - start).min(part_bytes) as usize];
            file.read_exact_at(&mut part, start).map_err(|cause| io_error("read", path, cause))?;
            bucket.upload_part(&upload, part_idx as usize, part.into()).await
        }
    });
    let sent: Result<Vec<String>> = futures::stream::iter(parts).buffered(AT_ONCE).try_collect().await;
    match sent {
        Ok(parts) => Ok(PendingUpload { upload, parts, bytes }),
        Err(error) => {
            // What cannot be aborted now is found by its key later.
            let _ = bucket.abort_upload(&upload).await;
            Err(error)
        }
    }
}

/// What became of an upload that was to be completed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Completed {
    /// The object is there.
    Made { etag: Option<String> },
    /// Neither upload nor object is there.
    Gone,
}

/// Makes the object of an upload. It may have been made by the run that died, or by a request whose answer was lost.
pub(super) async fn complete(bucket: &Bucket, pending: &PendingUpload) -> Result<Completed> {
    match bucket.complete_upload(pending).await {
        Err(error) if error.code() == codes::NOT_FOUND => match bucket.head(&pending.upload.key).await {
            Ok(object) if object.len == pending.bytes => Ok(Completed::Made { etag: object.etag }),
            Ok(_) => Ok(Completed::Gone),
            Err(error) if error.code() == codes::NOT_FOUND => Ok(Completed::Gone),
            Err(error) => Err(error),
        },
        made => made.map(|etag| Completed::Made { etag }),
    }
}
