//! One file: what is known of it since it was listed, and positional reads of it.

use std::fmt::Debug;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::{StoragePath, io_error};
use crate::error::{Error, Result, codes};

/// A file as it was when it was listed. A job reads exactly this: what is appended later is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMeta {
    pub path: StoragePath,
    /// As stored: before decompression.
    pub len: u64,
    pub version: FileVersion,
}

/// What tells one content of a path from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileVersion {
    /// A local file: which one it is, and when it was last written, in nanoseconds since 1970.
    Local { dev: u64, inode: u64, mtime_ns: i64 },
    /// An object of S3: its entity tag, if the server has such.
    Object { etag: Option<String> },
}

impl FileVersion {
    pub(super) fn of_local(metadata: &Metadata) -> FileVersion {
        let mtime_ns = metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec());
        FileVersion::Local { dev: metadata.dev(), inode: metadata.ino(), mtime_ns }
    }
}

/// A file that is open for positional reads, by any number of threads.
pub trait ReadAt: Send + Sync + Debug {
    /// The length it had when it was listed. Nothing after it is read.
    fn len(&self) -> u64;

    /// Whether there is nothing to read.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buf` with the bytes from `offset` on, and says how many there were: fewer than asked for only at the
    /// end, none behind it.
    ///
    /// Errors: `FILE_CHANGED` if the file became shorter than it was; `STORAGE`.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize>;

    /// Says whether what was read so far is what was listed. Called before records are handed out, and at the end.
    ///
    /// Errors: `FILE_CHANGED` if the file was cut or written over meanwhile.
    fn verify(&self) -> Result<()>;

    /// Whether there is more of the file than was listed.
    ///
    /// Errors: `STORAGE`.
    fn has_grown(&self) -> Result<bool> {
        Ok(false)
    }
}

/// Opens a local file that was listed.
///
/// Errors: `FILE_CHANGED` if it is another file now, was cut, or was written over; that something was appended is
/// none. `NOT_FOUND`, `ACCESS_DENIED`, `STORAGE`.
pub(super) fn open_local(path: &Path, file: &Arc<FileMeta>) -> Result<Arc<dyn ReadAt>> {
    let FileVersion::Local { dev, inode, mtime_ns } = file.version else {
        return Err(Error::internal("a local file was listed as an object of S3"));
    };
    // A FIFO that took the file's place would block the open for ever.
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(nonblocking)
        .open(path)
        .map_err(|cause| io_error("open", path, cause))?;
    let local = LocalFile { file: opened, listed: Arc::clone(file), dev, inode, mtime_ns, witness: OnceLock::new() };
    local.verify()?;
    Ok(Arc::new(local))
}

#[derive(Debug)]
struct LocalFile {
    file: File,
    listed: Arc<FileMeta>,
    /// Of its version as it was listed.
    dev: u64,
    inode: u64,
    mtime_ns: i64,
    /// Where the first read ended, and its last bytes: what tells a log that grew from one that was emptied and filled
    /// again, as `copytruncate` of logrotate does.
    witness: OnceLock<(u64, Vec<u8>)>,
}

/// Enough for a log's line with its time.
const WITNESS_BYTES: usize = 256;

impl LocalFile {
    fn path(&self) -> &Path {
        self.listed.path.as_local().unwrap_or(Path::new(""))
    }

    fn changed(&self, what: &str) -> Error {
        let path = self.listed.path.display();
        Error::new(codes::FILE_CHANGED, format!("{path} {what} since it was listed"))
    }

    fn metadata(&self) -> Result<Metadata> {
        self.file.metadata().map_err(|cause| io_error("open", self.path(), cause))
    }

    /// Fills `buf` with bytes that were there when the file was listed.
    fn read_all(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        let mut filled = 0;
        while filled < buf.len() {
            match self.file.read_at(&mut buf[filled..], offset + filled as u64) {
                Ok(0) => return Err(self.changed("was cut")),
                Ok(n) => filled += n,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(io_error("read", self.path(), cause)),
            }
        }
        Ok(())
    }
}

impl ReadAt for LocalFile {
    fn len(&self) -> u64 {
        self.listed.len
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        let rest = self.listed.len.saturating_sub(offset);
        let wanted = usize::try_from(rest).unwrap_or(usize::MAX).min(buf.len());
        self.read_all(offset, &mut buf[..wanted])?;
        if wanted > 0 {
            let last = &buf[wanted.saturating_sub(WITNESS_BYTES)..wanted];
            self.witness.get_or_init(|| (offset + (wanted - last.len()) as u64, last.to_vec()));
        }
        Ok(wanted)
    }

    fn has_grown(&self) -> Result<bool> {
        Ok(self.metadata()?.len() > self.listed.len)
    }

    fn verify(&self) -> Result<()> {
        let metadata = self.metadata()?;
        let (dev, inode, mtime_ns) = (self.dev, self.inode, self.mtime_ns);
        let now = FileVersion::of_local(&metadata);
        if metadata.dev() != dev || metadata.ino() != inode || !metadata.is_file() {
            Err(self.changed("was replaced by another file"))
        } else if metadata.len() < self.listed.len {
            Err(self.changed("was cut"))
        } else if metadata.len() > self.listed.len {
            let Some((offset, expected)) = self.witness.get() else { return Ok(()) };
            let mut found = vec![0; expected.len()];
            self.read_all(*offset, &mut found)?;
            if found == *expected { Ok(()) } else { Err(self.changed("was written to")) }
        } else if now != (FileVersion::Local { dev, inode, mtime_ns }) {
            Err(self.changed("was written to"))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;
    use crate::storage::list::list_local;

    fn listed(path: &Path) -> Arc<FileMeta> {
        Arc::new(list_local(path).unwrap().files.remove(0))
    }

    fn open(file: &Arc<FileMeta>) -> Result<Arc<dyn ReadAt>> {
        open_local(file.path.as_local().unwrap(), file)
    }

    #[track_caller]
    fn check_changed<T: Debug>(result: Result<T>, part: &str) {
        let error = result.unwrap_err();
        assert_eq!(error.code(), codes::FILE_CHANGED);
        assert!(error.message().contains(part), "{}", error.message());
    }

    #[test]
    fn reads_exactly_what_was_listed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, "0123456789").unwrap();
        let meta = listed(&path);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"appended").unwrap();
        let file = open(&meta).unwrap();
        let mut buf = [0; 4];
        assert_eq!((file.read_at(0, &mut buf).unwrap(), &buf), (4, b"0123"));
        assert_eq!((file.read_at(8, &mut buf).unwrap(), &buf[..2]), (2, &b"89"[..]));
        assert_eq!(file.read_at(10, &mut buf).unwrap(), 0);
        assert_eq!(file.read_at(u64::MAX, &mut buf).unwrap(), 0);
        file.verify().unwrap();
    }

    #[test]
    fn a_file_that_changes_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, "0123456789").unwrap();
        let meta = listed(&path);
        let file = open(&meta).unwrap();

        OpenOptions::new().write(true).open(&path).unwrap().set_len(5).unwrap();
        let mut buf = [0; 10];
        assert_eq!(file.read_at(0, &mut buf[..5]).unwrap(), 5);
        check_changed(file.read_at(0, &mut buf), "was cut");
        check_changed(file.verify(), "was cut");
        check_changed(open(&meta), "was cut");

        fs::write(&path, "9876543210").unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
        File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
        check_changed(open(&meta), "was written to");

        fs::write(dir.path().join("y"), "0123456789").unwrap();
        fs::rename(dir.path().join("y"), &path).unwrap();
        check_changed(open(&meta), "was replaced");

        fs::remove_file(&path).unwrap();
        assert_eq!(open(&meta).unwrap_err().code(), codes::NOT_FOUND);
    }

    #[test]
    fn a_log_that_was_emptied_and_has_grown_since_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, "10:00 a\n10:01 b\n").unwrap();
        let file = open(&listed(&path)).unwrap();
        let mut buf = [0; 8];
        file.read_at(0, &mut buf).unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"10:02 c\n").unwrap();
        file.verify().unwrap();
        file.read_at(8, &mut buf).unwrap();
        fs::write(&path, "11:00 d\n11:01 e\n11:02 f\n").unwrap();
        check_changed(file.verify(), "was written to");
    }

    #[test]
    fn a_fifo_in_a_files_place_does_not_block() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::write(&path, "x").unwrap();
        let meta = listed(&path);
        fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        check_changed(open(&meta), "was replaced");
    }
}
