//! S3: list, read, write and upload, as plain calls over object_store's client.
//!
//! [`S3`] knows the buckets of a session. [`bucket`] speaks to one of them and says what went wrong in the user's
//! words, [`credentials`] finds out as whom, [`object`] reads objects and fetches ahead,
//! [`ObjectFolder`] is for those who write, [`copy_record`] for what copies leave when they are killed. Requests run on a small
//! runtime of their own, far more of them than there are cores; whoever needs an answer parks until it is there.
//! Nothing is started before the first request. [`wire`] counts requests and holds
//! them back while S3 asks for fewer.

mod bucket;
mod copy_record;
mod credentials;
mod error;
mod folder;
mod listing;
mod meter;
mod object;
mod partition;
mod record;
mod request;
#[cfg(test)]
mod tests;
mod throttle;
mod whole;
mod wire;

pub(super) use bucket::PARTS_MAX;
pub use bucket::{Bucket, ObjectMeta, PendingUpload, Upload};
pub use folder::{MadeObject, ObjectFolder, UPLOAD_BYTES_MAX};
pub use meter::RequestCounts;
pub(super) use object::{Coming, ObjectFile, Pieces};
pub use record::WORK;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};

use self::credentials::Provider;
use self::meter::Meter;
use super::path::ObjectPath;
use super::{FileMeta, FileVersion, Listing, StoragePath};
use crate::bridge;
use crate::config::{EngineConfig, S3Config};
use crate::error::{Error, Result, codes};

/// Threads for requests: they decrypt and copy what comes in, and wait for the rest of their time.
const NETWORK_THREADS_MAX: usize = 4;

/// The buckets of one session.
#[derive(Debug)]
pub struct S3 {
    config: S3Config,
    threads: usize,
    /// Where locks of this machine lie.
    temp_dir: PathBuf,
    meter: Arc<Meter>,
    started: Mutex<Option<Arc<Started>>>,
}

#[derive(Debug)]
struct Started {
    provider: Arc<Provider>,
    buckets: Mutex<HashMap<String, Arc<Bucket>>>,
    network: Network,
}

/// The runtime that requests run on. It lives as long as anybody who may make one.
#[derive(Debug, Clone)]
pub(super) struct Network {
    handle: Handle,
    _runtime: Arc<NetworkRuntime>,
}

impl Network {
    /// Parks this thread until `request` is done.
    pub fn wait<T: Send + 'static>(&self, request: impl Future<Output = T> + Send + 'static) -> Result<T> {
        bridge::wait_for(&self.handle, request)
    }

    /// The same, but gives up when `proceed` says so. Errors: those of `proceed`.
    pub fn wait_while<T: Send + 'static>(
        &self,
        request: impl Future<Output = T> + Send + 'static,
        proceed: &dyn Fn() -> Result<()>,
    ) -> Result<T> {
        bridge::wait_while(&self.handle, request, proceed)
    }
}

/// `Some` until it is dropped, and dropped without waiting: a request may take its time to end.
#[derive(Debug)]
struct NetworkRuntime(Option<Runtime>);

impl Drop for NetworkRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl S3 {
    /// Keeps `config` for the first request.
    pub fn new(config: &EngineConfig) -> Self {
        S3 {
            config: config.s3.clone(),
            threads: config.threads.clamp(1, NETWORK_THREADS_MAX),
            temp_dir: config.temp_dir.clone(),
            meter: Arc::default(),
            started: Mutex::default(),
        }
    }

    /// The client of one bucket, and the runtime that its requests run on.
    ///
    /// Errors: `BAD_SETTING` for an endpoint that is none.
    pub(super) fn bucket(&self, name: &str) -> Result<(Arc<Bucket>, Network)> {
        let started = self.started()?;
        let mut buckets = started.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(name.to_owned()).or_insert_with(|| {
            let (provider, meter) = (Arc::clone(&started.provider), Arc::clone(&self.meter));
            Arc::new(Bucket::new(name, &self.config, provider, meter))
        });
        Ok((Arc::clone(bucket), started.network.clone()))
    }

    fn started(&self) -> Result<Arc<Started>> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(started) = started.as_ref() {
            return Ok(Arc::clone(started));
        }
        let provider = Arc::new(Provider::new(&self.config)?);
        let runtime = bridge::network_runtime(self.threads)?;
        let network = Network { handle: runtime.handle().clone(), _runtime: Arc::new(NetworkRuntime(Some(runtime))) };
        let new = Arc::new(Started { provider, buckets: Mutex::default(), network });
        *started = Some(Arc::clone(&new));
        Ok(new)
    }

    /// Lists the objects below `place`, or the object of that name.
    ///
    /// Names that start with `_` or `.` are hidden, as in [`list`](super::Storage::list); so are the `_$folder$` objects
    /// by which Hadoop's older file systems mark folders, and those whose keys end with a slash. Errors: `NOT_FOUND`, `ACCESS_DENIED`, `STORAGE`; `COMMIT` if a commit below
    /// `place` is not finished, for then old and new objects may be there.
    pub(super) fn list(&self, place: &ObjectPath) -> Result<Listing> {
        let (bucket, network) = self.bucket(&place.bucket)?;
        let prefix = place.folder();
        let objects = {
            let (bucket, place) = (Arc::clone(&bucket), place.clone());
            network.wait(async move { list_settled(&bucket, &place).await })??
        };
        let mut listing = Listing::default();
        let is_missing = objects.is_empty();
        for object in objects {
            let below = object.key.strip_prefix(&prefix).unwrap_or(&object.key);
            if below.split('/').any(|name| name.starts_with(['_', '.'])) {
                listing.hidden += 1;
            } else if below.is_empty() || below.ends_with('/') || below.ends_with(FOLDER_MARK) {
                listing.skipped_special += 1;
            } else {
                listing.files.push(file_meta(&place.bucket, object));
            }
        }
        if is_missing {
            let missing = Error::new(
                codes::NOT_FOUND,
                format!("{place} does not exist: no object has this name or lies below it"),
            );
            if place.key.is_empty() {
                return Err(missing);
            }
            let key = place.key.clone();
            let object = network.wait(async move { bucket.head(&key).await })?;
            match object {
                Ok(object) => listing.files.push(file_meta(&place.bucket, object)),
                Err(error) if error.code() != codes::NOT_FOUND => return Err(error),
                Err(_) => return Err(missing),
            }
        }
        // S3 lists by key, but servers like it need not.
        listing.files.sort_unstable_by(|a, b| super::path::sort_key(&a.path).cmp(super::path::sort_key(&b.path)));
        Ok(listing)
    }

    /// What was asked of S3 so far.
    pub(super) fn counts(&self) -> RequestCounts {
        self.meter.counts()
    }

    /// A whole small object.
    pub(super) fn read(&self, place: &ObjectPath) -> Result<Vec<u8>> {
        let (bucket, network) = self.bucket(&place.bucket)?;
        let key = place.key.clone();
        let bytes = network.wait(async move { bucket.get_whole(&key).await })??;
        Ok(bytes.into())
    }
}

/// How often a place is listed while a commit there is under way, and how long the wait is.
const LISTED_MAX: usize = 5;
const LISTED_AGAIN_AFTER: Duration = Duration::from_millis(300);

/// All objects below `place`, once no commit is under way there.
async fn list_settled(bucket: &Bucket, place: &ObjectPath) -> Result<Vec<ObjectMeta>> {
    let prefix = place.folder();
    for _ in 0..LISTED_MAX {
        let objects = bucket.list(&prefix).await?;
        let mut is_settled = true;
        for object in &objects {
            if record::is_record(object.key.strip_prefix(&prefix).unwrap_or(&object.key)) {
                is_settled &= match bucket.get_whole(&object.key).await {
                    Ok(text) => !record::is_committing(&text),
                    // Finished since it was listed.
                    Err(error) if error.code() == codes::NOT_FOUND => false,
                    Err(error) => return Err(error),
                };
            }
        }
        if is_settled {
            return Ok(objects);
        }
        tokio::time::sleep(LISTED_AGAIN_AFTER).await;
    }
    let message = format!("{place} holds a commit that is not finished, and maybe old and new data");
    Err(Error::new(codes::COMMIT, message).with_hint(
        "if no run is writing there, one died: `logq gc` on its output, or the next run, finishes its commit",
    ))
}

/// How Hadoop's native file system for S3 ends the name of an object that stands for a folder.
const FOLDER_MARK: &str = "_$folder$";

fn file_meta(bucket: &str, object: ObjectMeta) -> FileMeta {
    FileMeta {
        path: StoragePath::of_object(ObjectPath { bucket: bucket.to_owned(), key: object.key }),
        len: object.len,
        version: FileVersion::Object { etag: object.etag },
    }
}
