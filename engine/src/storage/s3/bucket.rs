//! One bucket: the requests that logq makes, each with an error in the user's words.
//!
//! object_store sends, signs and repeats them; what it leaves to its caller is done here, once for a request: fresh
//! credentials after `ExpiredToken`, and the right region after a redirect. Source: the API reference of S3.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder, AwsAuthorizer, resolve_bucket_region};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    ClientOptions, CredentialProvider, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    PutPayload, UpdateVersion,
};
use serde::{Deserialize, Serialize};

use super::credentials::Provider;
use super::error::{Action, Remedy, of_s3, remedy};
use super::request;
use crate::config::{CredentialSource, Encryption, S3Config};
use crate::error::{Error, Result, codes};
use crate::storage::path::ObjectPath;

/// The region of requests that have to name one and need none, as to other servers than Amazon's.
const DEFAULT_REGION: &str = "us-east-1";

/// Parts that S3 takes of one upload.
pub(in crate::storage) const PARTS_MAX: u64 = 10_000;

/// How often a request is made again that object_store does not repeat, and how long the first wait is.
const REPEATS_MAX: u32 = 5;
const REPEAT_WAIT: Duration = Duration::from_millis(50);

/// The client of one bucket.
#[derive(Debug)]
pub struct Bucket {
    name: String,
    config: S3Config,
    provider: Arc<Provider>,
    /// Made when it is needed, and again when the region turns out to be another.
    client: Mutex<Option<Client>>,
}

#[derive(Debug, Clone)]
struct Client {
    store: AmazonS3,
    region: String,
    /// `https://…`, the bucket included.
    url: String,
}

/// An object as it was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    pub key: String,
    pub len: u64,
    pub etag: Option<String>,
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
    pub(super) fn new(name: &str, config: &S3Config, provider: Arc<Provider>) -> Self {
        Bucket { name: name.to_owned(), config: config.clone(), provider, client: Mutex::default() }
    }

    /// All objects whose keys start with `prefix`, by pages of a thousand.
    pub async fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>> {
        let prefix = (!prefix.is_empty()).then_some(prefix);
        let mut objects = Vec::new();
        let mut page_token = None;
        loop {
            let options = PaginatedListOptions { page_token, ..PaginatedListOptions::default() };
            let page = self
                .ask(Action::List, prefix.unwrap_or_default(), |client| {
                    let options = options.clone();
                    async move { client.store.list_paginated(prefix, options).await }
                })
                .await?;
            objects.extend(page.result.objects.into_iter().map(|object| ObjectMeta {
                key: object.location.to_string(),
                len: object.size,
                etag: object.e_tag,
            }));
            page_token = page.page_token;
            if page_token.is_none() {
                return Ok(objects);
            }
        }
    }

    /// What is known of one object.
    pub async fn head(&self, key: &str) -> Result<ObjectMeta> {
        let path = self.path(key)?;
        let meta = self
            .ask(Action::Get, key, |client| {
                let path = path.clone();
                async move { client.store.head(&path).await }
            })
            .await?;
        Ok(ObjectMeta { key: key.to_owned(), len: meta.size, etag: meta.e_tag })
    }

    /// A range of an object, which must still be the one with the entity tag.
    ///
    /// Errors: `FILE_CHANGED` if it is another; those of any request.
    pub async fn get(&self, key: &str, range: Range<u64>, etag: Option<&str>) -> Result<Bytes> {
        let path = self.path(key)?;
        let n_bytes = range.end - range.start;
        let bytes = self
            .ask(Action::Get, key, |client| {
                let options = GetOptions {
                    if_match: etag.map(str::to_owned),
                    range: Some(GetRange::Bounded(range.clone())),
                    ..GetOptions::default()
                };
                let path = path.clone();
                async move { client.store.get_opts(&path, options).await?.bytes().await }
            })
            .await?;
        if bytes.len() as u64 != n_bytes {
            let message = format!("{} was replaced since it was listed", self.place(key));
            return Err(Error::new(codes::FILE_CHANGED, message));
        }
        Ok(bytes)
    }

    /// A whole small object, as it is now.
    pub async fn get_whole(&self, key: &str) -> Result<Bytes> {
        self.get_versioned(key).await.map(|(bytes, _)| bytes)
    }

    /// A whole small object and its entity tag.
    pub async fn get_versioned(&self, key: &str) -> Result<(Bytes, Option<String>)> {
        let path = self.path(key)?;
        self.ask(Action::Get, key, |client| {
            let path = path.clone();
            async move {
                let object = client.store.get(&path).await?;
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

    /// Replaces the small object that has the entity tag. `None` if there is no such any more.
    pub async fn put_over(&self, key: &str, bytes: Bytes, etag: Option<String>) -> Result<Option<Option<String>>> {
        self.put_if(key, bytes, PutMode::Update(UpdateVersion { e_tag: etag, version: None })).await
    }

    async fn put_if(&self, key: &str, bytes: Bytes, mode: PutMode) -> Result<Option<Option<String>>> {
        let path = self.path(key)?;
        self.ask(Action::Put, key, |client| {
            let (path, bytes, mode) = (path.clone(), bytes.clone(), mode.clone());
            async move {
                let options = PutOptions { mode, ..PutOptions::default() };
                match client.store.put_opts(&path, PutPayload::from_bytes(bytes), options).await {
                    Ok(put) => Ok(Some(put.e_tag)),
                    Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
                        Ok(None)
                    }
                    Err(error) => Err(error),
                }
            }
        })
        .await
    }

    /// Deletes objects; those that are gone already are fine.
    pub async fn delete(&self, keys: &[String]) -> Result<()> {
        let paths = keys.iter().map(|key| self.path(key)).collect::<Result<Vec<_>>>()?;
        let Some(first) = keys.first() else { return Ok(()) };
        self.ask(Action::Delete, first, |client| {
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
        let path = self.path(key)?;
        let id = self
            .ask(Action::Put, key, |client| {
                let path = path.clone();
                async move { client.store.create_multipart(&path).await }
            })
            .await?;
        Ok(Upload { key: key.to_owned(), id })
    }

    /// Sends part `part_idx`, counted from 0, and gives its entity tag.
    pub async fn upload_part(&self, upload: &Upload, part_idx: usize, bytes: Bytes) -> Result<String> {
        let path = self.path(&upload.key)?;
        let part = self
            .ask(Action::Put, &upload.key, |client| {
                let (path, id, payload) = (path.clone(), upload.id.clone(), PutPayload::from_bytes(bytes.clone()));
                async move { client.store.put_part(&path, &id, part_idx, payload).await }
            })
            .await?;
        Ok(part.content_id)
    }

    /// Makes the object of the parts.
    ///
    /// Errors: `NOT_FOUND` if there is no such upload: it was completed, or aborted.
    pub async fn complete_upload(&self, pending: &PendingUpload) -> Result<()> {
        let path = self.path(&pending.upload.key)?;
        self.ask(Action::Put, &pending.upload.key, |client| {
            let (path, id) = (path.clone(), pending.upload.id.clone());
            let parts = pending.parts.iter().map(|etag| PartId { content_id: etag.clone() }).collect();
            async move { client.store.complete_multipart(&path, &id, parts).await }
        })
        .await?;
        Ok(())
    }

    /// Gives an upload up; one that is gone already is fine.
    pub async fn abort_upload(&self, upload: &Upload) -> Result<()> {
        let path = self.path(&upload.key)?;
        let aborted = self
            .ask(Action::AbortUpload, &upload.key, |client| {
                let (path, id) = (path.clone(), upload.id.clone());
                async move { client.store.abort_multipart(&path, &id).await }
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
            let page = self.list_uploads_page(prefix, markers.take()).await?;
            uploads.extend(page.upload.into_iter().map(|upload| Upload { key: upload.key, id: upload.upload_id }));
            match (page.is_truncated, page.next_key_marker) {
                (true, Some(key)) => markers = Some((key, page.next_upload_id_marker.unwrap_or_default())),
                _ => return Ok(uploads),
            }
        }
    }

    async fn list_uploads_page(&self, prefix: &str, markers: Option<(String, String)>) -> Result<UploadsPage> {
        let client = self.client().await.map_err(|error| self.error(Action::ListUploads, prefix, error))?;
        let query = uploads_query(prefix, markers);
        let url = format!("{}?{query}", client.url);
        let credential = match self.is_signed() {
            true => Some(self.provider.credential().await?),
            false => None,
        };
        let make = || {
            let mut request = request::request(http::Method::GET, &url, &[], String::new())?;
            if let Some(credential) = &credential {
                AwsAuthorizer::new(credential, "s3", &client.region)
                    .with_request_payer(self.config.requester_pays)
                    .authorize(&mut request, None);
            }
            Ok(request)
        };
        let text = request::send(self.provider.http(), &make).await.map_err(|error| {
            let place = self.place(prefix);
            Error::new(error.code(), format!("cannot {} {place}", Action::ListUploads))
                .with_hint(format!("the credentials are those of {}", self.provider.origin()))
                .with_source(error)
        })?;
        quick_xml::de::from_str(&text).map_err(|error| {
            Error::new(codes::STORAGE, "S3's list of unfinished uploads cannot be read").with_source(error)
        })
    }

    /// Asks, and asks once more where that may help.
    async fn ask<T, F>(&self, action: Action, key: &str, request: impl Fn(Client) -> F) -> Result<T>
    where
        F: Future<Output = object_store::Result<T>>,
    {
        let (mut renewed, mut moved, mut n_repeated) = (false, false, 0);
        loop {
            let client = self.client().await.map_err(|error| self.error(action, key, error))?;
            let region = client.region.clone();
            match request(client).await {
                Ok(answer) => return Ok(answer),
                Err(error) => match remedy(action, &error) {
                    Some(Remedy::FreshCredentials) if !renewed => {
                        renewed = true;
                        self.provider.forget().await;
                    }
                    Some(Remedy::OtherRegion) if !moved && self.config.endpoint.is_none() => {
                        moved = true;
                        let found = resolve_bucket_region(&self.name, &self.client_options("https:")).await;
                        match found {
                            Ok(found) if found != region => self.replace_client(&found)?,
                            _ => return Err(self.error(action, key, error)),
                        }
                    }
                    Some(Remedy::Repeat) if n_repeated < REPEATS_MAX => {
                        tokio::time::sleep(REPEAT_WAIT * 2_u32.pow(n_repeated)).await;
                        n_repeated += 1;
                    }
                    _ => return Err(self.error(action, key, error)),
                },
            }
        }
    }

    fn error(&self, action: Action, key: &str, error: object_store::Error) -> Error {
        of_s3(action, &self.place(key), self.provider.origin(), error)
    }

    fn place(&self, key: &str) -> ObjectPath {
        ObjectPath { bucket: self.name.clone(), key: key.to_owned() }
    }

    fn path(&self, key: &str) -> Result<Path> {
        Path::parse(key).map_err(|error| {
            Error::new(codes::BAD_SETTING, format!("{} is no name for an object", self.place(key))).with_source(error)
        })
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
                resolve_bucket_region(&self.name, &self.client_options("https:")).await?
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
        let url = self.url(region);
        let credentials: Arc<Provider> = Arc::clone(&self.provider);
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&self.name)
            .with_region(region)
            // An endpoint that has the bucket in it already.
            .with_endpoint(&url)
            .with_virtual_hosted_style_request(true)
            .with_client_options(self.client_options(&url))
            .with_request_payer(self.config.requester_pays)
            .with_credentials(credentials)
            .with_skip_signature(!self.is_signed());
        if let Encryption::Kms { key_id } = &self.config.encryption {
            builder = builder.with_sse_kms_encryption(key_id);
        }
        Ok(Client { store: builder.build()?, region: region.to_owned(), url })
    }

    /// Where the bucket is, without a slash at the end.
    fn url(&self, region: &str) -> String {
        let name = &self.name;
        let in_path = self.config.path_style.unwrap_or(self.config.endpoint.is_some() || name.contains('.'));
        let endpoint = match &self.config.endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => {
                let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
                format!("https://s3.{region}.{domain}")
            }
        };
        match endpoint.split_once("://") {
            Some((scheme, host)) if !in_path => format!("{scheme}://{name}.{host}"),
            _ => format!("{endpoint}/{name}"),
        }
    }
}

fn uploads_query(prefix: &str, markers: Option<(String, String)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some((key, id)) = &markers {
        query.append_pair("key-marker", key).append_pair("upload-id-marker", id);
    }
    query.append_pair("prefix", prefix).append_pair("uploads", "").finish()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UploadsPage {
    #[serde(default)]
    upload: Vec<ListedUpload>,
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    next_key_marker: Option<String>,
    #[serde(default)]
    next_upload_id_marker: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListedUpload {
    key: String,
    upload_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_bucket_is() {
        let check = |name: &str, config: S3Config, expect: &str| {
            let provider = Arc::new(Provider::new(&config).unwrap());
            assert_eq!(Bucket::new(name, &config, provider).url("eu-west-1"), expect);
        };
        let at = |endpoint: &str, path_style| S3Config {
            endpoint: Some(endpoint.to_owned()),
            path_style,
            ..S3Config::default()
        };
        check("logs", S3Config::default(), "https://logs.s3.eu-west-1.amazonaws.com");
        check("my.logs", S3Config::default(), "https://s3.eu-west-1.amazonaws.com/my.logs");
        check("logs", at("http://localhost:9000/", None), "http://localhost:9000/logs");
        check("logs", at("https://s3.example.org", Some(false)), "https://logs.s3.example.org");
    }
}
