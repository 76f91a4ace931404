//! Buckets, objects and uploads in memory.

use std::collections::BTreeMap;

use bytes::Bytes;
use md5::{Digest, Md5};

/// One object.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub bytes: Bytes,
    /// In quotes, as in headers.
    pub etag: String,
}

#[derive(Debug)]
struct Upload {
    key: String,
    parts: BTreeMap<u32, Object>,
}

#[derive(Debug, Default)]
struct Bucket {
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, Upload>,
}

/// Everything that the server holds.
#[derive(Debug, Default)]
pub(crate) struct Store {
    buckets: BTreeMap<String, Bucket>,
    n_uploads: u64,
}

impl Store {
    pub fn make_bucket(&mut self, bucket: &str) {
        self.buckets.entry(bucket.to_owned()).or_default();
    }

    pub fn has_bucket(&self, bucket: &str) -> bool {
        self.buckets.contains_key(bucket)
    }

    pub fn put(&mut self, bucket: &str, key: &str, bytes: Bytes) -> String {
        let etag = etag_of(&bytes);
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            bucket.objects.insert(key.to_owned(), Object { bytes, etag: etag.clone() });
        }
        etag
    }

    pub fn get(&self, bucket: &str, key: &str) -> Option<&Object> {
        self.buckets.get(bucket)?.objects.get(key)
    }

    pub fn delete(&mut self, bucket: &str, key: &str) {
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            bucket.objects.remove(key);
        }
    }

    /// Objects whose keys start with `prefix` and come after `after`.
    pub fn list<'a>(
        &'a self,
        bucket: &str,
        prefix: &'a str,
        after: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a Object)> {
        let objects = self.buckets.get(bucket).map(|bucket| bucket.objects.iter()).unwrap_or_default();
        objects.filter(move |(key, _)| key.starts_with(prefix) && key.as_str() > after)
    }

    pub fn objects(&self, bucket: &str) -> BTreeMap<String, Vec<u8>> {
        self.list(bucket, "", "").map(|(key, object)| (key.clone(), object.bytes.to_vec())).collect()
    }

    pub fn begin_upload(&mut self, bucket: &str, key: &str) -> String {
        self.n_uploads += 1;
        let id = format!("upload-{}", self.n_uploads);
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            bucket.uploads.insert(id.clone(), Upload { key: key.to_owned(), parts: BTreeMap::new() });
        }
        id
    }

    /// `None` if there is no such upload.
    pub fn put_part(&mut self, bucket: &str, id: &str, number: u32, bytes: Bytes) -> Option<String> {
        let upload = self.buckets.get_mut(bucket)?.uploads.get_mut(id)?;
        let etag = etag_of(&bytes);
        upload.parts.insert(number, Object { bytes, etag: etag.clone() });
        Some(etag)
    }

    /// Makes the object of the parts that `wanted` names. `None` if there is no such upload or part.
    pub fn complete_upload(&mut self, bucket: &str, id: &str, wanted: &[(u32, String)]) -> Option<String> {
        let held = self.buckets.get_mut(bucket)?;
        let upload = held.uploads.get(id)?;
        let mut bytes = Vec::new();
        for (number, etag) in wanted {
            let part = upload.parts.get(number).filter(|part| part.etag.trim_matches('"') == etag.trim_matches('"'))?;
            bytes.extend_from_slice(&part.bytes);
        }
        let upload = held.uploads.remove(id)?;
        let etag = format!("\"{}-{}\"", etag_of(&bytes).trim_matches('"'), wanted.len());
        held.objects.insert(upload.key, Object { bytes: bytes.into(), etag: etag.clone() });
        Some(etag)
    }

    /// Whether there was such an upload.
    pub fn abort_upload(&mut self, bucket: &str, id: &str) -> bool {
        self.buckets.get_mut(bucket).is_some_and(|bucket| bucket.uploads.remove(id).is_some())
    }

    /// Keys and ids of the uploads of keys that start with `prefix`.
    pub fn uploads(&self, bucket: &str, prefix: &str) -> Vec<(String, String)> {
        let uploads = self.buckets.get(bucket).map(|bucket| bucket.uploads.iter()).unwrap_or_default();
        let mut found: Vec<_> = uploads
            .filter(|(_, upload)| upload.key.starts_with(prefix))
            .map(|(id, upload)| (upload.key.clone(), id.clone()))
            .collect();
        found.sort();
        found
    }
}

fn etag_of(bytes: &[u8]) -> String {
    let digest: String = Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digest}\"")
}
