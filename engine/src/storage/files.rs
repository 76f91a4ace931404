//! Whole files by location, for whoever embeds the engine: scripts, reports, logs of steps, copies between folders.
//!
//! A location is what a script may name. Tables are not read this way, and results of INSERT are not written this way:
//! they have splits and a committer. Each call blocks until it is done.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;
use rustix::fs::OFlags;
use uuid::Uuid;

use super::filesystem::{file_error, has_the_name};
use super::path::unfolded_key;
use super::s3::PARTS_MAX;
use super::{ObjectPath, Storage, StoragePath, io_error};
use crate::config::EngineConfig;
use crate::error::{Error, Result, codes};

/// Blocks of one size of a file of unknown length, before they are twice as large: an upload has 10,000 parts at most.
const BLOCKS_OF_A_SIZE: u32 = 2_000;

/// Folders inside folders, more than which is an error.
const DEPTH_MAX: usize = 40;

/// Reads and writes whole files, local ones and objects of S3. Relative locations are relative to one directory.
#[derive(Debug, Clone)]
pub struct Files {
    storage: Storage,
    working_dir: PathBuf,
}

/// A file below a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// The file itself, as a location.
    pub location: String,
    /// Its path below the listed location, with `/` between folders; the file's own name if the location is a file.
    pub name: String,
    pub bytes: u64,
    /// When it was last written, where the storage says so.
    pub modified: Option<SystemTime>,
}

/// What a location stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    File,
    /// A folder; in an object store, a prefix with objects below it.
    Folder,
    Missing,
}

impl Files {
    /// Files as a session of this configuration names them.
    pub fn new(config: &EngineConfig) -> Files {
        Files::over(Storage::new(config), &config.working_dir)
    }

    /// The same, on a storage that is in use already: its connections and credentials are used again.
    pub fn over(storage: Storage, working_dir: &Path) -> Files {
        Files { storage, working_dir: working_dir.to_owned() }
    }

    /// What is there.
    ///
    /// Errors: `UNSUPPORTED_SCHEME`, `ACCESS_DENIED`, `STORAGE`.
    pub fn place(&self, location: &str) -> Result<Place> {
        let path = match self.whereabouts(location)? {
            Whereabouts::Local(path) => path,
            Whereabouts::S3(_) if location.ends_with('/') => return Ok(Place::Folder),
            Whereabouts::S3(object) => return self.storage.s3().place(&object),
        };
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => Ok(Place::Folder),
            Ok(_) => Ok(Place::File),
            Err(cause) if is_missing(&cause) => Ok(Place::Missing),
            Err(cause) => Err(io_error("find", &path, cause)),
        }
    }

    /// The whole content of a file.
    ///
    /// Errors: `NOT_FOUND`, `ACCESS_DENIED`; `USAGE` for a directory; `UNSUPPORTED_SCHEME`, `STORAGE`.
    pub fn read(&self, location: &str) -> Result<Vec<u8>> {
        let path = match self.whereabouts(location)? {
            Whereabouts::Local(path) => path,
            Whereabouts::S3(object) => return self.storage.s3().read(&object),
        };
        fs::read(&path).map_err(|cause| match cause.kind() {
            io::ErrorKind::IsADirectory => {
                Error::new(codes::USAGE, format!("{} is a directory, expected a file", path.display()))
            }
            _ => io_error("read", &path, cause),
        })
    }

    /// Every file below a location, hidden ones too, ascending by name; the file itself if it is one.
    ///
    /// Symbolic links are followed, but for one back to a folder that it lies in. What is neither file nor folder is left
    /// out, and so are objects that stand for folders.
    ///
    /// Errors: `NOT_FOUND`, `ACCESS_DENIED`; `STORAGE`, also if folders are nested more than 40 deep, and for a name that
    /// is not UTF-8, which no location can name.
    pub fn list(&self, location: &str) -> Result<Vec<FoundFile>> {
        let path = match self.whereabouts(location)? {
            Whereabouts::Local(path) => path,
            Whereabouts::S3(object) => return self.storage.s3().found(&object),
        };
        let metadata = fs::metadata(&path).map_err(|cause| io_error("list", &path, cause))?;
        let mut found = Vec::new();
        if metadata.is_dir() {
            walk(&path, "", &mut vec![(metadata.dev(), metadata.ino())], &mut found)?;
            found.sort_by(|a, b| a.name.cmp(&b.name));
        } else {
            let name = utf8(path.file_name().unwrap_or_default(), &path)?.to_owned();
            found.push(found_file(&path, name, &metadata));
        }
        Ok(found)
    }

    /// Writes a file and the folders above it. Whoever reads sees the old file or the new one, never a half.
    ///
    /// Errors: `ACCESS_DENIED`, `DISK_LIMIT`, `UNSUPPORTED_SCHEME`, `STORAGE`.
    pub fn write(&self, location: &str, content: &[u8]) -> Result<()> {
        match self.whereabouts(location)? {
            Whereabouts::Local(path) => replace(&path, |file| file.write_all(content)),
            Whereabouts::S3(object) => {
                let blocks =
                    content.chunks(self.storage.copy_bytes as usize).map(|block| Ok(Bytes::copy_from_slice(block)));
                self.storage.s3().write(&object, blocks, &|| Ok(()))
            }
        }
    }

    /// Copies a file over another one or to a new place, as [`write`](Files::write) writes; gives its bytes.
    ///
    /// `proceed` is asked now and then; its error ends the copy, of which then nothing is left.
    ///
    /// Errors: those of [`read`](Files::read), of [`write`](Files::write) and of `proceed`.
    pub fn copy(&self, from: &str, to: &str, proceed: &dyn Fn() -> Result<()>) -> Result<u64> {
        let mut bytes = 0;
        let blocks: Box<dyn Iterator<Item = Result<Bytes>>> = match self.whereabouts(from)? {
            Whereabouts::Local(path) => Box::new(local_blocks(path, self.storage.copy_bytes)?),
            Whereabouts::S3(object) => Box::new(self.storage.s3().blocks(&object, self.storage.copy_bytes, proceed)?),
        };
        let blocks = blocks.map(|block| {
            proceed()?;
            block.inspect(|block| bytes += block.len() as u64)
        });
        match self.whereabouts(to)? {
            Whereabouts::Local(path) => write_blocks(&path, proceed, blocks)?,
            Whereabouts::S3(object) => {
                proceed()?;
                self.storage.s3().write(&object, blocks, proceed)?;
            }
        }
        Ok(bytes)
    }

    /// A file, to be read from start to end. Its content is what it was when reading began.
    ///
    /// Errors: those of [`read`](Files::read); while it is read, as the sources of I/O errors.
    pub fn reader(&self, location: &str) -> Result<impl Read + use<>> {
        let blocks: Box<dyn Iterator<Item = Result<Bytes>>> = match self.whereabouts(location)? {
            Whereabouts::Local(path) => Box::new(local_blocks(path, self.storage.copy_bytes)?),
            Whereabouts::S3(object) => {
                Box::new(self.storage.s3().blocks(&object, self.storage.copy_bytes, &|| Ok(()))?)
            }
        };
        Ok(BlockReader { blocks, block: Bytes::new() })
    }

    /// Writes a file of all that `content` gives, as [`write`](Files::write) writes; gives its bytes. `proceed` is as for
    /// [`copy`](Files::copy).
    ///
    /// Errors: those of [`write`](Files::write), of `proceed` and of `content`; `STORAGE` for an I/O error without one.
    pub fn write_from(&self, to: &str, content: &mut dyn Read, proceed: &dyn Fn() -> Result<()>) -> Result<u64> {
        let mut bytes = 0;
        let mut n_blocks: u32 = 0;
        let blocks = std::iter::from_fn(|| {
            let mut block = Vec::new();
            // Nobody knows how much there is to come, and an upload has so many parts: later ones are larger.
            let block_bytes = self.storage.copy_bytes << (n_blocks / BLOCKS_OF_A_SIZE).min(4);
            n_blocks += 1;
            match (&mut *content).take(block_bytes).read_to_end(&mut block) {
                Ok(0) => None,
                Ok(_) => Some(proceed().map(|()| Bytes::from(block))),
                Err(error) => Some(Err(error_within(error))),
            }
        });
        let blocks = blocks.inspect(|block| bytes += block.as_ref().map_or(0, |block| block.len() as u64));
        match self.whereabouts(to)? {
            Whereabouts::Local(path) => write_blocks(&path, proceed, blocks)?,
            Whereabouts::S3(object) => {
                proceed()?;
                self.storage.s3().write(&object, blocks, proceed)?;
            }
        }
        Ok(bytes)
    }

    /// Notes on a file of this machine when it was written, as Amazon's tools do with what they fetched. An object's time
    /// is S3's own; then, and where that is not possible, nothing changes.
    pub fn set_modified(&self, location: &str, modified: SystemTime) -> Result<()> {
        if let Whereabouts::Local(path) = self.whereabouts(location)? {
            let _ = OpenOptions::new().write(true).open(path).and_then(|file| file.set_modified(modified));
        }
        Ok(())
    }

    /// Text that is the same for two locations if they are names of one file that exists.
    pub fn identity(&self, location: &str) -> Result<String> {
        Ok(match self.whereabouts(location)? {
            Whereabouts::Local(path) => match fs::metadata(&path) {
                Ok(metadata) => format!("{}:{}", metadata.dev(), metadata.ino()),
                Err(_) => path.display().to_string(),
            },
            Whereabouts::S3(object) => object.to_string(),
        })
    }

    /// Removes a file. Fine if there is none.
    ///
    /// Errors: `ACCESS_DENIED`, `UNSUPPORTED_SCHEME`, `STORAGE`.
    pub fn remove(&self, location: &str) -> Result<()> {
        let path = match self.whereabouts(location)? {
            Whereabouts::Local(path) => path,
            Whereabouts::S3(object) => return self.storage.s3().remove(&object),
        };
        match fs::remove_file(&path) {
            Err(cause) if !is_missing(&cause) => Err(io_error("remove", &path, cause)),
            _ => Ok(()),
        }
    }

    fn whereabouts(&self, location: &str) -> Result<Whereabouts> {
        let path = StoragePath::parse(location, &self.working_dir)?;
        match (path.as_local(), path.as_object()) {
            (Some(local), _) => Ok(Whereabouts::Local(local.to_owned())),
            (_, Some(object)) => {
                // Unlike Hadoop's paths, copies know objects by their very keys, as Amazon's tools do.
                let key = unfolded_key(location).unwrap_or(&object.key).to_owned();
                Ok(Whereabouts::S3(ObjectPath { bucket: object.bucket.clone(), key }))
            }
            (None, None) => Err(Error::internal("a path that is nowhere")),
        }
    }
}

enum Whereabouts {
    Local(PathBuf),
    S3(ObjectPath),
}

/// Blocks, read as one.
struct BlockReader {
    blocks: Box<dyn Iterator<Item = Result<Bytes>>>,
    block: Bytes,
}

impl Read for BlockReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.block.is_empty() {
            match self.blocks.next() {
                Some(block) => self.block = block.map_err(io::Error::other)?,
                None => return Ok(0),
            }
        }
        let n_bytes = self.block.len().min(buffer.len());
        buffer[..n_bytes].copy_from_slice(&self.block.split_to(n_bytes));
        Ok(n_bytes)
    }
}

/// The error of ours that an I/O error carries, or one of it.
fn error_within(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(own) => own,
        Err(error) => Error::new(codes::STORAGE, "cannot read what is to be written").with_source(error),
    }
}

/// The content of a local file, block by block.
fn local_blocks(path: PathBuf, block_bytes: u64) -> Result<impl Iterator<Item = Result<Bytes>>> {
    let mut source = File::open(&path).map_err(|cause| io_error("read", &path, cause))?;
    let bytes = source.metadata().map_or(0, |metadata| metadata.len());
    // A block may become a part of an upload.
    let block_bytes = block_bytes.max(bytes.div_ceil(PARTS_MAX));
    Ok(std::iter::from_fn(move || {
        let mut block = Vec::new();
        match (&mut source).take(block_bytes).read_to_end(&mut block) {
            Ok(0) => None,
            Ok(_) => Some(Ok(block.into())),
            Err(cause) => Some(Err(io_error("read", &path, cause))),
        }
    }))
}

fn write_blocks(
    path: &Path,
    proceed: &dyn Fn() -> Result<()>,
    mut blocks: impl Iterator<Item = Result<Bytes>>,
) -> Result<()> {
    let mut stopped = proceed();
    let written = replace(path, |file| {
        while stopped.is_ok() {
            match blocks.next() {
                Some(Ok(block)) => file.write_all(&block)?,
                Some(Err(error)) => stopped = Err(error),
                None => return Ok(()),
            }
        }
        Err(io::ErrorKind::Interrupted.into())
    });
    stopped.and(written)
}

fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let failed = |cause: io::Error| file_error("write", path, cause, codes::STORAGE);
    fs::create_dir_all(folder).map_err(failed)?;
    // A pipe or a device is written to; it cannot change places with a file.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        let mut file = OpenOptions::new().write(true).open(path).map_err(failed)?;
        return write(&mut file).map_err(failed);
    }
    let (aside, mut file) = open_aside(folder, path.file_name().unwrap_or_default()).map_err(failed)?;
    let written = write(&mut file).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&aside, path));
    written.map_err(|cause| {
        let _ = fs::remove_file(&aside);
        failed(cause)
    })
}

/// An empty file under a hidden name, of which the content comes before it takes the name of a file in `folder`.
///
/// The name follows from that of the file, so that the next write takes what one that was killed left behind. It is
/// locked meanwhile; whoever finds it locked, or finds something else there, takes another name.
fn open_aside(folder: &Path, name: &OsStr) -> io::Result<(PathBuf, File)> {
    let mut aside = OsString::from("._logq_tmp-");
    aside.push(name);
    let aside = folder.join(aside);
    // Neither another's file behind a link, nor a pipe that waits for a reader.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).custom_flags(flags);
    while let Ok(file) = options.open(&aside)
        && file.metadata()?.is_file()
        && file.try_lock().is_ok()
    {
        // Between our open and our lock the other write may have ended, and this be the file that it wrote.
        if has_the_name(&file, &aside)? {
            let emptied = if file.metadata()?.len() > 0 { file.set_len(0) } else { Ok(()) };
            return match emptied {
                Ok(()) => Ok((aside, file)),
                Err(cause) => fs::remove_file(&aside).and(Err(cause)),
            };
        }
    }
    let aside = folder.join(format!("._logq_tmp-{}", Uuid::new_v4()));
    File::create_new(&aside).map(|file| (aside, file))
}

/// `above` holds device and inode of this folder and of those that it lies in.
fn walk(folder: &Path, prefix: &str, above: &mut Vec<(u64, u64)>, found: &mut Vec<FoundFile>) -> Result<()> {
    if above.len() > DEPTH_MAX {
        let message = format!("{} is nested more than {DEPTH_MAX} folders deep", folder.display());
        return Err(Error::new(codes::STORAGE, message));
    }
    let failed = |cause| io_error("list", folder, cause);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let name = format!("{prefix}{}", utf8(&entry.file_name(), &path)?);
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => found.push(found_file(&path, name, &metadata)),
            Ok(metadata) if metadata.is_dir() => {
                let id = (metadata.dev(), metadata.ino());
                if !above.contains(&id) {
                    above.push(id);
                    walk(&path, &format!("{name}/"), above, found)?;
                    above.pop();
                }
            }
            // A pipe, a socket; a link to nowhere, or a file that was removed since.
            Ok(_) => {}
            Err(cause) if is_missing(&cause) => {}
            Err(cause) => return Err(io_error("list", &path, cause)),
        }
    }
    Ok(())
}

fn found_file(path: &Path, name: String, metadata: &fs::Metadata) -> FoundFile {
    let location = path.display().to_string();
    FoundFile { location, name, bytes: metadata.len(), modified: metadata.modified().ok() }
}

fn utf8<'a>(name: &'a OsStr, path: &Path) -> Result<&'a str> {
    std::str::from_utf8(name.as_bytes())
        .map_err(|_| Error::new(codes::STORAGE, format!("the name of {} is not UTF-8", path.display())))
}

fn is_missing(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(working_dir: &Path) -> Files {
        Files::new(&EngineConfig { working_dir: working_dir.to_owned(), ..EngineConfig::default() })
    }

    #[test]
    fn what_is_written_is_read_listed_and_copied() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(dir.path());
        files.write("a/b/x", b"one").unwrap();
        files.write("a/_SUCCESS", b"").unwrap();
        files.write("a/b/x", b"three").unwrap();
        assert_eq!(files.read("a/b/x").unwrap(), b"three");
        let names: Vec<_> = files.list("a").unwrap().into_iter().map(|file| (file.name, file.bytes)).collect();
        assert_eq!(names, [("_SUCCESS".to_owned(), 0), ("b/x".to_owned(), 5)]);
        let found = files.list("a/b/x").unwrap();
        assert_eq!(found[0].name, "x");
        assert_eq!(files.copy(&found[0].location, "c/d", &|| Ok(())).unwrap(), 5);
        assert_eq!(files.read(&format!("file://{}/c/d", dir.path().display())).unwrap(), b"three");
        files.remove("c/d").unwrap();
        files.remove("c/d").unwrap();
        assert_eq!(files.list("c").unwrap(), []);
        assert_eq!(files.place("c").unwrap(), Place::Folder);
        assert_eq!(files.place("c/d").unwrap(), Place::Missing);
        assert_eq!(files.place("a/b/x/y").unwrap(), Place::Missing);
    }

    #[test]
    fn links_are_followed_and_loops_end() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(dir.path());
        files.write("a/x", b"").unwrap();
        files.write("b/y", b"").unwrap();
        for (to, link) in [("../b", "a/b"), (".", "a/self"), ("..", "b/up"), ("nowhere", "a/dangling"), ("x", "a/z")] {
            std::os::unix::fs::symlink(to, dir.path().join(link)).unwrap();
        }
        let names: Vec<_> = files.list("a").unwrap().into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["b/y", "x", "z"]);
    }

    #[test]
    fn a_write_that_fails_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(dir.path());
        files.write("full/x", b"").unwrap();
        assert_eq!(files.write("full", b"x").unwrap_err().code(), codes::STORAGE);
        assert_eq!(files.copy("missing", "new", &|| Ok(())).unwrap_err().code(), codes::NOT_FOUND);
        let stop = || Err(Error::new(codes::CANCELLED, "stop"));
        assert_eq!(files.copy("full/x", "new", &stop).unwrap_err().code(), codes::CANCELLED);
        assert_eq!(files.read("full").unwrap_err().code(), codes::USAGE);
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["full"]);
        files.write("/dev/null", b"x").unwrap();
    }

    #[test]
    fn what_a_killed_write_left_is_taken_by_the_next_one_alone() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(dir.path());
        files.write("x", b"old").unwrap();
        let left = dir.path().join("._logq_tmp-x");
        let names = || {
            let entries = fs::read_dir(dir.path()).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };

        fs::write(&left, "more than is written now").unwrap();
        files.write("x", b"new").unwrap();
        assert_eq!((files.read("x").unwrap(), names()), (b"new".to_vec(), vec!["x".into()]));

        let held = File::create(&left).unwrap();
        held.try_lock().unwrap();
        files.write("x", b"newer").unwrap();
        assert_eq!((files.read("x").unwrap(), names().len()), (b"newer".to_vec(), 2));
        drop(held);
        fs::remove_file(&left).unwrap();

        fs::write(dir.path().join("mine"), "mine").unwrap();
        std::os::unix::fs::symlink("mine", &left).unwrap();
        files.write("x", b"newest").unwrap();
        assert_eq!((files.read("mine").unwrap(), files.read("x").unwrap()), (b"mine".to_vec(), b"newest".to_vec()));
    }

    #[test]
    fn what_is_read_is_written_and_errors_come_through() {
        let dir = tempfile::tempdir().unwrap();
        let files = files(dir.path());
        let large = vec![7; 9 << 20];
        files.write("large", &large).unwrap();
        let mut twice = files.reader("large").unwrap().chain(files.reader("large").unwrap());
        assert_eq!(files.write_from("twice", &mut twice, &|| Ok(())).unwrap(), 18 << 20);
        assert_eq!(files.read("twice").unwrap(), [&large[..], &large].concat());
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other(Error::new(codes::NOT_FOUND, "gone")))
            }
        }
        let error = files.write_from("new", &mut files.reader("large").unwrap().chain(Broken), &|| Ok(())).unwrap_err();
        assert_eq!((error.code(), files.place("new").unwrap()), (codes::NOT_FOUND, Place::Missing));
        assert!(matches!(files.reader("none"), Err(error) if error.code() == codes::NOT_FOUND));

        files.set_modified("large", SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(files.list("large").unwrap()[0].modified, Some(SystemTime::UNIX_EPOCH));
        std::os::unix::fs::symlink("large", dir.path().join("link")).unwrap();
        assert_eq!(files.identity("link").unwrap(), files.identity("./large").unwrap());
        assert_ne!(files.identity("link").unwrap(), files.identity("twice").unwrap());
        assert_eq!(files.identity("s3a://b/x").unwrap(), files.identity("s3://b/x").unwrap());
    }

    #[test]
    fn other_schemes_are_refused_by_the_storage() {
        let files = files(Path::new("/"));
        assert_eq!(files.read("hdfs://n/x").unwrap_err().code(), codes::UNSUPPORTED_SCHEME);
    }
}
