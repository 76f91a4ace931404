//! Whole objects: found, read in blocks, written in one PUT or in parts, removed. For [`Files`](super::super::Files).

use bytes::Bytes;

use super::bucket::{ObjectMeta, PARTS_MAX, PendingUpload, Upload};
use super::copy_record::CopyRecord;
use super::folder::{Completed, complete};
use super::{FOLDER_MARK, ObjectPath, S3, WORK};
use crate::error::{Error, Result, codes};
use crate::storage::{FoundFile, Place};

impl S3 {
    /// Whether there is an object of this name, or any below it.
    pub(in crate::storage) fn place(&self, place: &ObjectPath) -> Result<Place> {
        if place.key.is_empty() {
            // It is listed, so that it is known whether there is such a bucket.
            return self.has_any_below(place).map(|_| Place::Folder);
        }
        match self.head(place) {
            Ok(_) => return Ok(Place::File),
            Err(error) if error.code() == codes::NOT_FOUND => {}
            Err(error) => return Err(error),
        }
        Ok(if self.has_any_below(place)? { Place::Folder } else { Place::Missing })
    }

    /// Every object below `place`, or the object of that name, but for those that stand for folders and the records of
    /// runs and copies.
    pub(in crate::storage) fn found(&self, place: &ObjectPath) -> Result<Vec<FoundFile>> {
        let prefix = place.folder();
        let mut objects = self.below(place)?;
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        if objects.is_empty() && !place.key.is_empty() {
            let name = place.key.rsplit('/').next().unwrap_or_default();
            return Ok(vec![found_file(place, &self.head(place)?, name)]);
        }
        let is_folder = |object: &ObjectMeta| {
            let below = format!("{}/", object.key);
            object.key.ends_with('/')
                || object.len == 0
                    && (object.key.ends_with(FOLDER_MARK)
                        || object.key == place.key
                        || objects.iter().any(|other| other.key.starts_with(&below)))
        };
        let is_record = |name: &str| name.starts_with(WORK) || name.contains(&format!("/{WORK}"));
        let files = objects.iter().filter(|object| !is_folder(object) && !is_record(&object.key));
        let names = files.filter_map(|object| Some((object, object.key.strip_prefix(&prefix)?)));
        Ok(names.map(|(object, name)| found_file(&place.child(name), object, name)).collect())
    }

    /// The content of an object, block by block, as it is when the first one is asked for. `proceed` is asked now and then
    /// while a block comes.
    pub(in crate::storage) fn blocks<'a>(
        &self,
        place: &ObjectPath,
        block_bytes: u64,
        proceed: &'a dyn Fn() -> Result<()>,
    ) -> Result<impl Iterator<Item = Result<Bytes>> + use<'a>> {
        let meta = self.head(place)?;
        let (bucket, network) = self.bucket(&place.bucket)?;
        let block_bytes = block_bytes.max(meta.len.div_ceil(PARTS_MAX));
        let mut offset = 0;
        Ok(std::iter::from_fn(move || {
            let end = (offset + block_bytes).min(meta.len);
            let range = offset..end;
            if range.is_empty() {
                return None;
            }
            offset = end;
            let (bucket, key, etag) = (bucket.clone(), meta.key.clone(), meta.etag.clone());
            let request = async move { bucket.get(&key, range, etag.as_deref()).await };
            let chunks = network.wait_while(request, proceed).flatten();
            Some(chunks.map(|chunks| chunks.concat().into()))
        }))
    }

    /// Makes or replaces an object of these blocks. `proceed` is asked now and then while parts are sent. After an error
    /// there is the old one, or none, and no upload, or one that a record tells of.
    pub(in crate::storage) fn write(
        &self,
        place: &ObjectPath,
        mut blocks: impl Iterator<Item = Result<Bytes>>,
        proceed: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
        let (bucket, network) = self.bucket(&place.bucket)?;
        let first = blocks.next().transpose()?.unwrap_or_default();
        let second = blocks.next().transpose()?;
        let key = place.key.clone();
        let Some(second) = second else {
            return network.wait(async move { bucket.put(&key, first).await })?.map(drop);
        };
        let upload = {
            let bucket = bucket.clone();
            network.wait(async move { bucket.begin_upload(&key).await })??
        };
        let record = CopyRecord::begin(&bucket, &network, &self.temp_dir, &upload);
        let (record, sent) = match record {
            Ok(record) => {
                let sent = self.send(place, &upload, [Ok(first), Ok(second)].into_iter().chain(blocks), proceed);
                (record, sent)
            }
            Err(error) => (None, Err(error)),
        };
        let is_settled = match &sent {
            Ok(()) => true,
            // The failure of the copy is the one to tell. Of an upload that stays, the record tells.
            Err(_) => matches!(network.wait(async move { bucket.abort_upload(&upload).await }), Ok(Ok(()))),
        };
        if is_settled && let Some(record) = record {
            record.remove();
        }
        sent
    }

    fn send(
        &self,
        place: &ObjectPath,
        upload: &Upload,
        blocks: impl Iterator<Item = Result<Bytes>>,
        proceed: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
        let (bucket, network) = self.bucket(&place.bucket)?;
        let mut pending = PendingUpload { upload: upload.clone(), parts: Vec::new(), bytes: 0 };
        for (part_idx, block) in blocks.enumerate() {
            let block = block?;
            pending.bytes += block.len() as u64;
            let (bucket, upload) = (bucket.clone(), upload.clone());
            let part = async move { bucket.upload_part(&upload, part_idx, block).await };
            let sent = network.wait_while(part, proceed);
            pending.parts.push(sent??);
        }
        match network.wait(async move { complete(&bucket, &pending).await })?? {
            Completed::Made { .. } => Ok(()),
            Completed::Gone => {
                Err(Error::new(codes::STORAGE, format!("an upload to {place} is gone before it was completed")))
            }
        }
    }

    /// Removes an object; fine if there is none.
    pub(in crate::storage) fn remove(&self, place: &ObjectPath) -> Result<()> {
        let (bucket, network) = self.bucket(&place.bucket)?;
        let keys = [place.key.clone()];
        network.wait(async move { bucket.delete(&keys).await })?
    }

    fn head(&self, place: &ObjectPath) -> Result<ObjectMeta> {
        let (bucket, network) = self.bucket(&place.bucket)?;
        let key = place.key.clone();
        network.wait(async move { bucket.head(&key).await })?
    }

    fn has_any_below(&self, place: &ObjectPath) -> Result<bool> {
        let (bucket, network) = self.bucket(&place.bucket)?;
        let prefix = place.folder();
        network.wait(async move { bucket.has_any(&prefix).await })?
    }

    fn below(&self, place: &ObjectPath) -> Result<Vec<ObjectMeta>> {
        let (bucket, network) = self.bucket(&place.bucket)?;
        let prefix = place.folder();
        network.wait(async move { bucket.list(&prefix).await })?
    }
}

fn found_file(place: &ObjectPath, object: &ObjectMeta, name: &str) -> FoundFile {
    FoundFile { location: place.to_string(), name: name.to_owned(), bytes: object.len, modified: object.modified }
}

#[cfg(test)]
mod tests {
    use logq_s3_server::{Fault, Faults, KEY_ID, Server};

    use crate::config::{CredentialSource, Credentials, EngineConfig, S3Config, Secret};
    use crate::error::{Error, codes};
    use crate::storage::{Files, Place};

    fn files(server: &Server, dir: &tempfile::TempDir) -> Files {
        let source = CredentialSource::Keys { key_id: KEY_ID.into(), secret: Secret::new("s"), session_token: None };
        let credentials = Credentials { source, origin: "the test".into() };
        let s3 = S3Config { endpoint: Some(server.url()), credentials, ..S3Config::default() };
        let (working_dir, temp_dir) = (dir.path().to_owned(), dir.path().join("tmp"));
        Files::new(&EngineConfig { s3, working_dir, temp_dir, threads: 2, ..EngineConfig::default() })
    }

    #[test]
    fn objects_are_found_copied_and_removed() {
        let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
        server.make_bucket("b");
        let files = files(&server, &dir);
        let small = b"small".to_vec();
        let large: Vec<u8> = (0..20_000_000_u32).map(|n| (n * 31 % 251) as u8).collect();
        files.write("s3://b/logs/small", &small).unwrap();
        files.write("s3://b/logs/_x/large", &large).unwrap();
        server.put("b", "logs/folder_$folder$", "");
        server.put("b", "logs/mark/", "");
        server.put("b", "empty/", "");
        assert_eq!(files.place("s3://b/empty").unwrap(), Place::Folder);
        assert_eq!(files.list("s3://b/empty/").unwrap().len(), 0);
        let found = files.list("s3://b/logs/").unwrap();
        assert!(found[0].modified.is_some_and(|modified| modified < std::time::SystemTime::now()));
        let names: Vec<_> = found.iter().map(|file| (file.name.as_str(), file.bytes)).collect();
        assert_eq!(names, [("_x/large", 20_000_000), ("small", 5)]);
        assert_eq!(found[0].location, "s3://b/logs/_x/large");
        assert_eq!(files.list("s3a://b/logs/small").unwrap()[0].name, "small");
        assert_eq!(files.read("s3://b/logs/_x/large").unwrap(), large);

        // To this machine, back, and from object to object.
        let go_on = || Ok(());
        assert_eq!(files.copy("s3://b/logs/_x/large", "in/large", &go_on).unwrap(), 20_000_000);
        files.copy("in/large", "s3://b/back", &go_on).unwrap();
        files.copy("s3://b/back", "s3://c/again", &go_on).unwrap_err();
        files.copy("s3://b/back", "s3://b/again", &go_on).unwrap();
        files.copy("s3://b/logs/small", "s3://b/again_small", &go_on).unwrap();
        let objects = server.objects("b");
        assert!(objects["back"] == large && objects["again"] == large && objects["again_small"] == small);

        // Keys with empty parts are keys of their own.
        server.put("b", "odd/a//b", "odd");
        server.put("b", "odd/a/b", "even");
        let names: Vec<_> = files.list("s3://b/odd").unwrap().into_iter().map(|file| file.location).collect();
        assert_eq!(names, ["s3://b/odd/a//b", "s3://b/odd/a/b"]);
        files.copy(&names[0], "s3://b/odd//copy", &go_on).unwrap();
        assert_eq!(server.objects("b")["odd//copy"], b"odd");
        files.remove(&names[0]).unwrap();
        let left: Vec<_> = server.objects("b").into_keys().filter(|key| key.starts_with("odd")).collect();
        assert_eq!(left, ["odd//copy", "odd/a/b"]);

        assert_eq!(files.place("s3://b/again").unwrap(), Place::File);
        assert_eq!(files.place("s3://b/logs").unwrap(), Place::Folder);
        assert_eq!(files.place("s3://b/lo").unwrap(), Place::Missing);
        files.remove("s3://b/again").unwrap();
        files.remove("s3://b/again").unwrap();
        assert!(!server.objects("b").contains_key("again"));
        for missing in ["s3://b/again", "s3://b/lo"] {
            assert_eq!(files.read(missing).unwrap_err().code(), codes::NOT_FOUND);
            assert_eq!(files.list(missing).unwrap_err().code(), codes::NOT_FOUND);
        }
        assert_eq!(server.pending_uploads("b"), [""; 0]);
    }

    #[test]
    fn a_write_that_is_refused_is_not_done() {
        let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
        server.make_bucket("b");
        let files = files(&server, &dir);
        server.set_faults(Faults::at(0, Fault::Conflict));
        files.write("s3://b/once", b"x").unwrap();
        server.set_faults(Faults::always(Fault::Conflict));
        let error = files.write("s3://b/always", b"x").unwrap_err();
        assert_eq!((error.code(), error.message()), (codes::STORAGE, "cannot write s3://b/always"));
        assert_eq!(server.objects("b").into_keys().collect::<Vec<_>>(), ["once"]);
    }

    #[test]
    fn a_bucket_is_a_folder_and_no_object() {
        let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
        server.make_bucket("b");
        let files = files(&server, &dir);
        assert_eq!(files.place("s3://b").unwrap(), Place::Folder);
        assert_eq!(files.list("s3://b").unwrap().len(), 0);
        server.put("b", "x", "1");
        assert_eq!(files.list("s3://b/").unwrap()[0].name, "x");
        assert_eq!(files.place("s3://none").unwrap_err().code(), codes::NOT_FOUND);
        let n_asked = server.requests().len();
        files.write("s3://b", b"x").unwrap_err();
        files.remove("s3://b/").unwrap_err();
        files.read("s3://b").unwrap_err();
        assert_eq!(server.requests().len(), n_asked);
    }

    /// A request that makes an upload or an object of it may have been carried out although its answer was lost.
    #[test]
    fn a_lost_answer_at_any_request_loses_no_copy() {
        let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
        server.make_bucket("b");
        let files = files(&server, &dir);
        let large = vec![7; 9_000_000];
        files.write("large", &large).unwrap();
        for n in 0.. {
            for fault in [Fault::LostAnswer, Fault::CutBody] {
                server.set_faults(Faults::at(n, fault));
                files.copy("large", "s3://b/large", &|| Ok(())).unwrap();
                assert_eq!(server.objects("b")["large"], large);
            }
            if server.faults_seen() == 0 {
                return;
            }
        }
    }

    #[test]
    fn a_copy_that_is_stopped_leaves_no_upload_and_no_object() {
        let (server, dir) = (Server::start(), tempfile::tempdir().unwrap());
        server.make_bucket("b");
        let files = files(&server, &dir);
        files.write("large", &vec![7; 30_000_000]).unwrap();
        // Asked at the start, for each of four blocks, and while one takes time.
        for n_asks in 0.. {
            let n_asked = std::cell::Cell::new(0);
            let stop = || {
                n_asked.set(n_asked.get() + 1);
                if n_asked.get() > n_asks { Err(Error::new(codes::CANCELLED, "stop")) } else { Ok(()) }
            };
            let copied = files.copy("large", "s3://b/large", &stop);
            assert!(copied.is_err() || n_asks >= 5, "{n_asks}: {copied:?}");
            assert_eq!(server.objects("b").len(), usize::from(copied.is_ok()));
            assert_eq!(server.pending_uploads("b"), [""; 0]);
            if copied.is_ok() {
                return;
            }
        }
    }
}
