//! One bucket: the requests that logq makes, each with an error in the user's words.
//!
//! object_store sends, signs and repeats them; what it leaves to its caller is done here, once for a request: fresh
//! credentials after `ExpiredToken`, and the right region after a redirect. Source: the API reference of S3.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::{Method, StatusCode};
use object_store::aws::{AmazonS3, AmazonS3Builder, AwsAuthorizer};
use object_store::client::HttpClient;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, CredentialProvider, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode,
    PutOptions, PutPayload, RetryConfig, UpdateVersion,
};
use serde::{Deserialize, Serialize};

use super::credentials::Provider;
use super::error::{Action, Remedy, is_unmet, of_s3, remedy};
use super::meter::Meter;
use super::partition::Partition;
use super::throttle::Throttle;
use super::{listing, request, wire};
use crate::config::{CredentialSource, Encryption, S3Config};
use crate::error::{Error, Result, codes};
use crate::storage::path::ObjectPath;

/// The region of requests that have to name one and need none, as to other servers than Amazon's.
const DEFAULT_REGION: &str = "us-east-1";

/// Parts that S3 takes of one upload.
pub(in crate::storage) const PARTS_MAX: u64 = 10_000;

/// How often a request is made again that object_store does not repeat, for how long, and how long the first wait is; it
/// doubles. One that broke off has time for a server to be started again: 12 s and more.
const REPEATS_MAX: u32 = 5;
const BREAKS_MAX: u32 = 8;
const REPEATED_FOR: Duration = Duration::from_secs(30);
const REPEAT_WAIT: Duration = Duration::from_millis(50);

/// For how long object_store goes on with a request, the body of its answer included. A slow line takes its time.
const RETRIED_FOR: Duration = Duration::from_secs(15 * 60);

/// How often object_store repeats a request. It draws each wait between 100 ms and a multiple of the last one, so that
/// little follows from their number alone: ten waits of up to twice the last one may be over in a second. These take 40 s
/// on average, and less than 5 s once in a thousand times.
const RETRIES_MAX: usize = 20;
const WAIT_GROWS_BY: f64 = 3.0;
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The client of one bucket.
#[derive(Debug)]
pub struct Bucket {
    name: String,
    config: S3Config,
    provider: Arc<Provider>,
    meter: Arc<Meter>,
    throttle: Arc<Throttle>,
    seen_region: Arc<wire::SeenRegion>,
    /// Made when it is needed, and again when the region turns out to be another.
    client: Mutex<Option<Client>>,
}

#[derive(Debug, Clone)]
struct Client {
    store: AmazonS3,
    http: HttpClient,
    region: String,
    /// `https://…`, the bucket included.
    url: String,
}

/// A key as object_store knows it: its paths have no empty parts, as `a//b` has one.
#[derive(Debug, Clone)]
struct Located {
    /// What stands before the path and a slash, if the key has empty parts: `a/` of `a//b`.
    before: Option<String>,
    path: Path,
}

/// An object as it was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    pub key: String,
    pub len: u64,
    pub etag: Option<String>,
    pub modified: Option<SystemTime>,
}

/// An upload in parts that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    pub key: String,
    pub id: String,
}

/// An upload all of whose parts are there; the object is not, until it is completed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingUpload {
    #[serde(flatten)]
    pub upload: Upload,
    /// Entity tags of the parts, in order.
    pub parts: Vec<String>,
    pub bytes: u64,
}

impl Bucket {
    pub(super) fn new(name: &str, config: &S3Config, provider: Arc<Provider>, meter: Arc<Meter>) -> Self {
        Bucket {
            name: name.to_owned(),
            config: config.clone(),
            provider,
            meter,
            throttle: Arc::new(Throttle::new()),
            seen_region: Arc::default(),
            client: Mutex::default(),
        }
    }

    /// All objects whose keys start with `prefix`, by pages of a thousand.
    pub async fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>> {
        let mut objects = Vec::new();
        let mut token = None;
        loop {
            let (page, next) = self.list_page(prefix, token.as_deref()).await?;
            objects.extend(page);
            match next {
                Some(next) => token = Some(next),
                None => return Ok(objects),
            }
        }
    }

    /// Whether there is an object whose key starts with `prefix`.
    pub async fn has_any(&self, prefix: &str) -> Result<bool> {
        Ok(!self.list_page(prefix, None).await?.0.is_empty())
    }

    async fn list_page(&self, prefix: &str, token: Option<&str>) -> Result<(Vec<ObjectMeta>, Option<String>)> {
        let query = listing::objects_query(prefix, token);
        listing::objects(&self.ask_plainly(Action::List, Method::GET, prefix, &query).await?)
    }

    /// What is known of one object.
    pub async fn head(&self, key: &str) -> Result<ObjectMeta> {
        let path = self.locate(key)?;
        let meta = self
            .ask(Action::Get, key, |client| {
                let path = path.clone();
                async move { self.store_of(&client, &path)?.head(&path.path).await }
            })
            .await?;
        let modified = Some(meta.last_modified.into());
        Ok(ObjectMeta { key: key.to_owned(), len: meta.size, etag: meta.e_tag, modified })
    }

    /// A range of an object, which must still be the one with the entity tag, in the pieces in which it came.
    ///
    /// Errors: `FILE_CHANGED` if it is another; those of any request.
    pub async fn get(&self, key: &str, range: Range<u64>, etag: Option<&str>) -> Result<Vec<Bytes>> {
        let path = self.locate(key)?;
        let n_bytes = range.end - range.start;
        let chunks = self
            .ask(Action::Get, key, |client| {
                let options = GetOptions {
                    if_match: etag.map(str::to_owned),
                    range: Some(GetRange::Bounded(range.clone())),
                    ..GetOptions::default()
                };
                let path = path.clone();
                async move {
                    let answer = self.store_of(&client, &path)?.get_opts(&path.path, options).await?;
                    answer.into_stream().try_collect::<Vec<_>>().await
                }
            })
            .await?;
        if chunks.iter().map(|chunk: &Bytes| chunk.len() as u64).sum::<u64>() != n_bytes {
            let message = format!("{} was replaced since it was listed", self.place(key));
            return Err(Error::new(codes::FILE_CHANGED, message));
        }
        Ok(chunks)
    }

    /// A whole small object, as it is now.
    pub async fn get_whole(&self, key: &str) -> Result<Bytes> {
        self.get_versioned(key).await.map(|(bytes, _)| bytes)
    }

    /// A whole small object and its entity tag.
    pub async fn get_versioned(&self, key: &str) -> Result<(Bytes, Option<String>)> {
        let path = self.locate(key)?;
        self.ask(Action::Get, key, |client| {
            let path = path.clone();
            async move {
                let object = self.store_of(&client, &path)?.get(&path.path).await?;
                let etag = object.meta.e_tag.clone();
                Ok((object.bytes().await?, etag))
            }
        })
        .await
    }

    /// Makes or replaces a small object. Gives its entity tag.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<Option<String>> {
        self.put_if(key, bytes, PutMode::Overwrite).await.map(|etag| etag.unwrap_or_default())
    }

    /// Makes a small object. `None` if there is one of that name; that may be this one, if an answer was lost.
    pub async fn put_new(&self, key: &str, bytes: Bytes) -> Result<Option<Option<String>>> {
        self.put_if(key, bytes, PutMode::Create).await
    }

    /// Replaces the small object that has the entity tag. `None` if there is no such any more; that may be since this
    /// one is in its place, if an answer was lost.
    pub async fn put_over(&self, key: &str, bytes: Bytes, etag: Option<String>) -> Result<Option<Option<String>>> {
        self.put_if(key, bytes, PutMode::Update(UpdateVersion { e_tag: etag, version: None })).await
    }

    /// `None` if the condition does not hold. Without one, a refusal is an error.
    async fn put_if(&self, key: &str, bytes: Bytes, mode: PutMode) -> Result<Option<Option<String>>> {
        let path = self.locate(key)?;
        let is_conditional = mode != PutMode::Overwrite;
        let action = if is_conditional { Action::PutIf } else { Action::Put };
        self.ask(action, key, |client| {
            let (path, bytes, mode) = (path.clone(), bytes.clone(), mode.clone());
            async move {
                let options = PutOptions { mode, ..PutOptions::default() };
                match self.store_of(&client, &path)?.put_opts(&path.path, PutPayload::from_bytes(bytes), options).await
                {
                    Ok(put) => Ok(Some(put.e_tag)),
                    Err(error) if is_conditional && is_unmet(&error) => Ok(None),
                    Err(error) => Err(error),
                }
            }
        })
        .await
    }

    /// Deletes objects; those that are gone already are fine.
    pub async fn delete(&self, keys: &[String]) -> Result<()> {
        let mut paths = Vec::with_capacity(keys.len());
        for key in keys {
            let Located { before, path } = self.locate(key)?;
            if before.is_none() {
                paths.push(path);
            } else {
                self.ask_plainly(Action::Delete, Method::DELETE, key, "").await?;
            }
        }
        let Some(first) = paths.first() else { return Ok(()) };
        self.ask(Action::Delete, first.as_ref(), |client| {
            let paths: Vec<_> = paths.iter().cloned().map(Ok).collect();
            async move {
                let mut deleted = client.store.delete_stream(futures::stream::iter(paths).boxed());
                while let Some(path) = deleted.next().await {
                    match path {
                        Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            }
        })
        .await
    }

    /// Begins an upload. Nobody sees anything of it before it is completed.
    pub async fn begin_upload(&self, key: &str) -> Result<Upload> {
        let path = self.locate(key)?;
        let id = self
            .ask(Action::BeginUpload, key, |client| {
                let path = path.clone();
                async move { self.store_of(&client, &path)?.create_multipart(&path.path).await }
            })
            .await?;
        Ok(Upload { key: key.to_owned(), id })
    }

    /// Sends part `part_idx`, counted from 0, and gives its entity tag.
    pub async fn upload_part(&self, upload: &Upload, part_idx: usize, bytes: Bytes) -> Result<String> {
        let path = self.locate(&upload.key)?;
        let part = self
            .ask(Action::Put, &upload.key, |client| {
                let (path, id, payload) = (path.clone(), upload.id.clone(), PutPayload::from_bytes(bytes.clone()));
                async move { self.store_of(&client, &path)?.put_part(&path.path, &id, part_idx, payload).await }
            })
            .await?;
        Ok(part.content_id)
    }

    /// Makes the object of the parts, and gives its entity tag.
    ///
    /// Errors: `NOT_FOUND` if there is no such upload: it was completed, or aborted.
    pub async fn complete_upload(&self, pending: &PendingUpload) -> Result<Option<String>> {
        let path = self.locate(&pending.upload.key)?;
        let made = self
            .ask(Action::CompleteUpload, &pending.upload.key, |client| {
                let (path, id) = (path.clone(), pending.upload.id.clone());
                let parts = pending.parts.iter().map(|etag| PartId { content_id: etag.clone() }).collect();
                async move { self.store_of(&client, &path)?.complete_multipart(&path.path, &id, parts).await }
            })
            .await?;
        Ok(made.e_tag)
    }

    /// Gives an upload up; one that is gone already is fine.
    pub async fn abort_upload(&self, upload: &Upload) -> Result<()> {
        let path = self.locate(&upload.key)?;
        let aborted = self
            .ask(Action::AbortUpload, &upload.key, |client| {
                let (path, id) = (path.clone(), upload.id.clone());
                async move { self.store_of(&client, &path)?.abort_multipart(&path.path, &id).await }
            })
            .await;
        match aborted {
            Err(error) if error.code() == codes::NOT_FOUND => Ok(()),
            aborted => aborted,
        }
    }

    /// Uploads of keys that start with `prefix` and are neither completed nor aborted.
    pub async fn list_uploads(&self, prefix: &str) -> Result<Vec<Upload>> {
        let mut uploads = Vec::new();
        let mut markers = None;
        loop {
            let query = listing::uploads_query(prefix, markers);
            let text = self.ask_plainly(Action::ListUploads, Method::GET, prefix, &query).await?;
            let (page, next) = listing::uploads(&text)?;
            uploads.extend(page);
            match next {
                Some(next) => markers = Some(next),
                None => return Ok(uploads),
            }
        }
    }

    /// Makes a request that object_store has no verb for. A listing is of the bucket; else `key` is what it is about.
    async fn ask_plainly(&self, action: Action, method: Method, key: &str, query: &str) -> Result<String> {
        self.ask(action, key, |client| {
            let (method, query) = (method.clone(), query.to_owned());
            let url = match action {
                Action::Delete => format!("{}/{}", client.url, listing::in_url(key)),
                _ => format!("{}?{query}", client.url),
            };
            async move {
                let credential = match self.is_signed() {
                    true => Some(self.provider.credential().await.map_err(request::foreign)?),
                    false => None,
                };
                let make = || {
                    let mut request = request::request(method.clone(), &url, &[], String::new())?;
                    if let Some(credential) = &credential {
                        AwsAuthorizer::new(credential, "s3", &client.region)
                            .with_request_payer(self.config.requester_pays)
                            .authorize(&mut request, None);
                    }
                    Ok(request)
                };
                request::ask_s3(&client.http, &make).await
            }
        })
        .await
    }

    /// Asks, and asks once more where that may help.
    async fn ask<T, F>(&self, action: Action, key: &str, request: impl Fn(Client) -> F) -> Result<T>
    where
        F: Future<Output = object_store::Result<T>>,
    {
        let (mut renewed, mut moved, mut n_repeated) = (false, false, 0);
        let started = Instant::now();
        loop {
            let client = self.client().await.map_err(|error| self.error(action, key, error))?;
            let region = client.region.clone();
            match request(client).await {
                Ok(answer) => return Ok(answer),
                Err(error) => match self.remedy(action, &error, &region) {
                    Some(Remedy::FreshCredentials) if !renewed => {
                        renewed = true;
                        self.meter.count_retry();
                        self.provider.forget().await;
                    }
                    Some(Remedy::OtherRegion) if !moved => {
                        moved = true;
                        self.meter.count_retry();
                        match self.find_region(&region).await {
                            Some(found) if found != region => self.replace_client(&found)?,
                            _ => return Err(self.error(action, key, error)),
                        }
                    }
                    Some(again @ (Remedy::Repeat | Remedy::WaitForOther))
                        if n_repeated < repeats_max(again) && started.elapsed() < REPEATED_FOR =>
                    {
                        tokio::time::sleep(REPEAT_WAIT * 2_u32.pow(n_repeated)).await;
                        n_repeated += 1;
                    }
                    _ => return Err(self.error(action, key, error)),
                },
            }
        }
    }

    /// An answer without a body, as to HEAD, tells in its headers only that the bucket lies elsewhere.
    fn remedy(&self, action: Action, error: &object_store::Error, region: &str) -> Option<Remedy> {
        let lies_elsewhere = self.seen_region.get().is_some_and(|seen| seen != region);
        remedy(action, error).or(lies_elsewhere.then_some(Remedy::OtherRegion))
    }

    /// Where the bucket lies, as it says, or else as Amazon says in the partition of `region`.
    async fn find_region(&self, region: &str) -> Option<String> {
        match (self.seen_region.get(), &self.config.endpoint) {
            (None, None) => self.ask_region(Partition::of(region).ok()?.s3).await.ok(),
            (seen, _) => seen,
        }
    }

    /// Where `service` says that the bucket lies. It says so to everybody, whatever else it answers.
    ///
    /// The bucket stands in the path, since the certificate holds for no host with a dot more, as `my.logs` makes one.
    pub(super) async fn ask_region(&self, service: &str) -> object_store::Result<String> {
        let (meter, throttle) = (Arc::clone(&self.meter), Arc::clone(&self.throttle));
        let http = wire::client(&self.client_options(service), meter, throttle, Arc::clone(&self.seen_region))?;
        let url = format!("{service}/{}", self.name);
        let mut n_repeated = 0;
        loop {
            let request = request::request(Method::HEAD, &url, &[], String::new()).map_err(request::foreign)?;
            let failure: Box<dyn std::error::Error + Send + Sync> = match http.execute(request).await {
                Ok(response) => match (wire::region_of(&response), response.status()) {
                    (Some(region), _) => return Ok(region),
                    (None, StatusCode::NOT_FOUND) => {
                        let source = "<Error><Code>NoSuchBucket</Code></Error>".into();
                        return Err(object_store::Error::NotFound { path: self.name.clone(), source });
                    }
                    (None, status) => format!("{url} does not say where the bucket lies: {status}").into(),
                },
                Err(lost) => Box::new(lost),
            };
            if n_repeated == REPEATS_MAX {
                return Err(object_store::Error::Generic { store: "S3", source: failure });
            }
            tokio::time::sleep(REPEAT_WAIT * 2_u32.pow(n_repeated)).await;
            n_repeated += 1;
        }
    }

    fn error(&self, action: Action, key: &str, error: object_store::Error) -> Error {
        of_s3(action, &self.place(key), self.provider.origin(), error)
    }

    fn place(&self, key: &str) -> ObjectPath {
        ObjectPath { bucket: self.name.clone(), key: key.to_owned() }
    }

    /// Errors: `BAD_SETTING` for a part `.` or `..`, which no URL can hold, and for an end in a slash.
    fn locate(&self, key: &str) -> Result<Located> {
        let refused =
            || Error::new(codes::BAD_SETTING, format!("{} is no object that logq can ask for", self.place(key)));
        let name_start = match (key.rfind("//"), key.starts_with('/')) {
            (Some(slashes), _) => slashes + 2,
            (None, true) => 1,
            (None, false) => 0,
        };
        let (before, rest) = key.split_at(name_start);
        if rest.is_empty() || rest.ends_with('/') || key.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(refused());
        }
        let path = Path::parse(rest).map_err(|error| refused().with_source(error))?;
        Ok(Located { before: before.strip_suffix('/').map(str::to_owned), path })
    }

    fn is_signed(&self) -> bool {
        self.config.credentials.source != CredentialSource::Anonymous
    }

    fn client_options(&self, url: &str) -> ClientOptions {
        ClientOptions::new().with_allow_http(url.starts_with("http:"))
    }

    async fn client(&self) -> object_store::Result<Client> {
        if let Some(client) = self.lock().as_ref() {
            return Ok(client.clone());
        }
        let region = match (&self.config.region, &self.config.endpoint) {
            (Some(region), _) => region.clone(),
            (None, Some(_)) => DEFAULT_REGION.to_owned(),
            (None, None) => {
                // What is wrong with these is said before anybody is asked.
                if self.is_signed() {
                    self.provider.get_credential().await?;
                }
                self.ask_region(Partition::standard().s3).await?
            }
        };
        let client = self.make_client(&region)?;
        *self.lock() = Some(client.clone());
        Ok(client)
    }

    fn replace_client(&self, region: &str) -> Result<()> {
        let client = self.make_client(region).map_err(|error| self.error(Action::Get, "", error))?;
        *self.lock() = Some(client);
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Client>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make_client(&self, region: &str) -> object_store::Result<Client> {
        let url = self.url(region).map_err(request::foreign)?;
        let (meter, throttle) = (Arc::clone(&self.meter), Arc::clone(&self.throttle));
        // How long an answer may take depends on the request; see there.
        let options = self.client_options(&url).with_timeout_disabled();
        let http = wire::client(&options, meter, throttle, Arc::clone(&self.seen_region))?;
        let store = self.make_store(region, &url, &http)?;
        Ok(Client { store, http, region: region.to_owned(), url })
    }

    /// `endpoint` has the bucket in it already.
    fn make_store(&self, region: &str, endpoint: &str, http: &HttpClient) -> object_store::Result<AmazonS3> {
        let credentials: Arc<Provider> = Arc::clone(&self.provider);
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&self.name)
            .with_region(region)
            .with_endpoint(endpoint)
            .with_virtual_hosted_style_request(true)
            .with_client_options(self.client_options(endpoint))
            .with_retry(RetryConfig {
                backoff: BackoffConfig { base: WAIT_GROWS_BY, max_backoff: LONGEST_WAIT, ..BackoffConfig::default() },
                max_retries: RETRIES_MAX,
                retry_timeout: RETRIED_FOR,
            })
            .with_http_connector(wire::Connected(http.clone()))
            .with_request_payer(self.config.requester_pays)
            .with_credentials(credentials)
            .with_skip_signature(!self.is_signed());
        if let Encryption::Kms { key_id } = &self.config.encryption {
            builder = builder.with_sse_kms_encryption(key_id);
        }
        builder.build()
    }

    /// The store in which `located` has its path: one that takes what stands before it for a part of the endpoint.
    fn store_of(&self, client: &Client, located: &Located) -> object_store::Result<AmazonS3> {
        match &located.before {
            None => Ok(client.store.clone()),
            Some(before) => {
                let endpoint = format!("{}/{}", client.url, listing::in_url(before));
                self.make_store(&client.region, &endpoint, &client.http)
            }
        }
    }

    /// Where the bucket is, without a slash at the end. Errors: those of [`Partition::of`].
    fn url(&self, region: &str) -> Result<String> {
        let name = &self.name;
        let in_path = self.config.path_style.unwrap_or(self.config.endpoint.is_some() || name.contains('.'));
        let endpoint = match &self.config.endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => format!("https://s3.{region}.{}", Partition::of(region)?.domain),
        };
        Ok(match endpoint.split_once("://") {
            Some((scheme, host)) if !in_path => format!("{scheme}://{name}.{host}"),
            _ => format!("{endpoint}/{name}"),
        })
    }
}

fn repeats_max(remedy: Remedy) -> u32 {
    match remedy {
        Remedy::Repeat => BREAKS_MAX,
        _ => REPEATS_MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_bucket_is() {
        let url = |name: &str, config: S3Config, region: &str| {
            let provider = Arc::new(Provider::new(&config).unwrap());
            Bucket::new(name, &config, provider, Arc::default()).url(region)
        };
        let check = |name, config, expect: &str| assert_eq!(url(name, config, "eu-west-1").unwrap(), expect);
        let at = |endpoint: &str, path_style| S3Config {
            endpoint: Some(endpoint.to_owned()),
            path_style,
            ..S3Config::default()
        };
        check("logs", S3Config::default(), "https://logs.s3.eu-west-1.amazonaws.com");
        check("my.logs", S3Config::default(), "https://s3.eu-west-1.amazonaws.com/my.logs");
        check("logs", at("http://localhost:9000/", None), "http://localhost:9000/logs");
        check("logs", at("https://s3.example.org", Some(false)), "https://logs.s3.example.org");
        let of_amazon = |region| url("logs", S3Config::default(), region);
        assert_eq!(of_amazon("cn-north-1").unwrap(), "https://logs.s3.cn-north-1.amazonaws.com.cn");
        assert_eq!(of_amazon("us-gov-east-1").unwrap(), "https://logs.s3.us-gov-east-1.amazonaws.com");
        assert_eq!(of_amazon("us-iso-east-1").unwrap_err().code(), codes::BAD_SETTING);
        assert!(url("logs", at("https://s3.example.org", None), "us-iso-east-1").is_ok());
    }
}
