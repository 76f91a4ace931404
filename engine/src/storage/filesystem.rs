//! The local file system as the writing side sees it: make, fsync, rename, exchange, remove, lock.
//!
//! A trait, because a commit must survive a failure or a `kill -9` before each of its steps: tests run it over a
//! double that fails at the n-th operation. It does not read tables (inputs are read by positional reads) and it
//! does not decide anything: what an error means is said by the caller.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Code, Error, codes};

/// What a name stands for; a symbolic link is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    Directory,
    File,
    SymbolicLink,
    /// A pipe, a socket, a device.
    Other,
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// Names that are not Unicode are left out of listings: nothing of ours has one.
    pub name: String,
    pub kind: EntryKind,
}

/// A file being written. Dropped without [`sync`](OutputFile::sync): closed, and as durable as the kernel likes.
pub trait OutputFile: Send {
    /// Appends all of `bytes`; short writes and interrupted calls are continued.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes contents and length durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// A held lock: gone when dropped, and gone with the process however that ends.
pub struct FileLock {
    _file: Arc<File>,
}

/// What the output committer does to a file system.
///
/// Called from any thread. Each call is one step that happens or does not, except where the method says otherwise.
pub trait FileSystem: Send + Sync + fmt::Debug {
    /// Makes a directory and those above it; fine if it exists.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Makes one directory; an error if anything has that name.
    fn create_dir(&self, path: &Path) -> io::Result<()>;

    /// Makes a file; an error if anything has that name.
    fn create_file(&self, path: &Path) -> io::Result<Box<dyn OutputFile>>;

    /// Makes the names in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Gives `from` the name `to`. A file or an empty directory of that name is replaced, a full one is an error.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Swaps two existing names in one step. [`ErrorKind::Unsupported`] where the system or the file system cannot.
    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()>;

    /// Gives `to` the permission bits of `from`.
    fn copy_permissions(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a directory and everything below; symbolic links are removed, not followed. Many steps, any of which
    /// may be the last. Fine if there is nothing of that name.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Removes a file or a symbolic link. Fine if there is nothing of that name.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Appends the contents of the file `from` to the file `to`, and makes them durable if `sync`. After an error
    /// `to` may hold a part of them.
    fn append_file(&self, from: &Path, to: &Path, sync: bool) -> io::Result<()>;

    /// What has this name, if anything.
    fn kind(&self, path: &Path) -> io::Result<Option<EntryKind>>;

    /// Whether a file system is mounted at this directory, whose name then can be neither renamed nor exchanged.
    /// `false` where the system does not tell.
    fn is_mount_point(&self, path: &Path) -> io::Result<bool>;

    /// The names in a directory, in no order.
    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirectoryEntry>>;

    /// A small file's contents.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The path without symbolic links and dots; an error if nothing is there.
    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf>;

    /// Locks a file, which is made if need be and then holds `note`; `None` if somebody else holds the lock.
    ///
    /// The file may be removed while the lock is held, and only then: whoever waits notices that the locked file has
    /// lost its name and starts again.
    fn try_lock(&self, path: &Path, note: &str) -> io::Result<Option<FileLock>>;
}

/// Says what `error` means for the user: `verb` is what was tried, `code` what it is if nothing more is known.
pub fn file_error(verb: &str, path: &Path, error: io::Error, code: Code) -> Error {
    let shown = path.display();
    let out = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Error::new(codes::DISK_LIMIT, format!("cannot {verb} `{shown}`: no space left"))
                .with_hint("free space on that disk, or choose another one")
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Error::new(codes::ACCESS_DENIED, format!("not allowed to {verb} `{shown}`"))
        }
        ErrorKind::CrossesDevices | ErrorKind::ResourceBusy => Error::new(code, format!("cannot {verb} `{shown}`"))
            .with_hint("a mount point, or a directory of a container's image, cannot be replaced; write below it"),
        _ => Error::new(code, format!("cannot {verb} `{shown}`")),
    };
    out.with_source(error)
}

/// The real one.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalFileSystem;

impl FileSystem for LocalFileSystem {
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn create_file(&self, path: &Path) -> io::Result<Box<dyn OutputFile>> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Box::new(LocalFile(file)))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        exchange_names(a, b)
    }

    fn copy_permissions(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::set_permissions(to, fs::metadata(from)?.permissions())
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fine_if_missing(fs::remove_dir_all(path))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fine_if_missing(fs::remove_file(path))
    }

    fn append_file(&self, from: &Path, to: &Path, sync: bool) -> io::Result<()> {
        let mut to = OpenOptions::new().append(true).open(to)?;
        let mut from = File::open(from)?;
        // The standard library copies inside the kernel where it can, and does not go on after a signal; both files
        // stand where it stopped.
        while let Err(e) = io::copy(&mut from, &mut to) {
            if e.kind() != ErrorKind::Interrupted {
                return Err(e);
            }
        }
        if sync { to.sync_all() } else { Ok(()) }
    }

    fn kind(&self, path: &Path) -> io::Result<Option<EntryKind>> {
        match fs::symlink_metadata(path) {
            Ok(metadata) => Ok(Some(kind_of(metadata.file_type()))),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn is_mount_point(&self, path: &Path) -> io::Result<bool> {
        is_mounted_at(path)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DirectoryEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string() {
                entries.push(DirectoryEntry { name, kind: kind_of(entry.file_type()?) });
            }
        }
        Ok(entries)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    fn try_lock(&self, path: &Path, note: &str) -> io::Result<Option<FileLock>> {
        loop {
            // In a folder that all may write, a link may stand there that somebody else laid to a file of this user.
            let no_follow = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).custom_flags(no_follow);
            let mut file = options.open(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(e)) => return Err(e),
            }
            // Between our open and our lock the last holder may have removed the file: then the lock is on nothing.
            if has_the_name(&file, path)? {
                return match file.set_len(0).and_then(|()| file.write_all(note.as_bytes())) {
                    Ok(()) => Ok(Some(FileLock { _file: Arc::new(file) })),
                    Err(e) => {
                        let _ = fs::remove_file(path);
                        Err(e)
                    }
                };
            }
        }
    }
}

struct LocalFile(File);

impl OutputFile for LocalFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn exchange_names(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).map_err(|errno| match errno {
        // An old kernel says ENOSYS; a file system without the flag says EINVAL, as ZFS and NFS do.
        Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP => ErrorKind::Unsupported.into(),
        errno => errno.into(),
    })
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn exchange_names(_a: &Path, _b: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

#[cfg(target_os = "linux")]
fn is_mounted_at(path: &Path) -> io::Result<bool> {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    use rustix::io::Errno;
    match statx(CWD, path, AtFlags::empty(), StatxFlags::empty()) {
        Ok(found) => Ok(found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)),
        Err(Errno::NOSYS) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn is_mounted_at(_path: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Whether an open file is the one that has this name.
#[cfg(unix)]
pub(super) fn has_the_name(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let locked = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((named.dev(), named.ino()) == (locked.dev(), locked.ino())),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

#[cfg(not(unix))]
pub(super) fn has_the_name(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}

fn kind_of(file_type: fs::FileType) -> EntryKind {
    if file_type.is_dir() {
        EntryKind::Directory
    } else if file_type.is_file() {
        EntryKind::File
    } else if file_type.is_symlink() {
        EntryKind::SymbolicLink
    } else {
        EntryKind::Other
    }
}

fn fine_if_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// A file system that fails, or dies, at a chosen operation.
#[cfg(test)]
pub(crate) mod faulty {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Mutex, Weak};

    use super::*;

    /// What happens at the chosen operation. A write leaves half of its bytes behind in all three.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Fault {
        /// That operation fails, later ones work.
        Once(ErrorKind),
        /// That operation and all later ones fail, and locks are gone: what a `kill -9` leaves behind.
        Death,
    }

    /// Whether the double can swap two names.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Exchange {
        Supported,
        Unsupported,
    }

    #[derive(Debug)]
    struct State {
        /// Operations so far.
        n_operations: AtomicUsize,
        /// The operation that fails, counted from 0.
        faulty_operation: usize,
        fault: Fault,
        locks: Mutex<Vec<Weak<File>>>,
        log: Mutex<Vec<String>>,
    }

    /// A local file system with one fault. Walks of many steps are as many operations; syncs are noted, not done,
    /// since no test cuts the power.
    #[derive(Debug, Clone)]
    pub(crate) struct FaultyFileSystem {
        state: Arc<State>,
        exchange: Exchange,
    }

    impl FaultyFileSystem {
        pub(crate) fn new(faulty_operation: usize, fault: Fault, exchange: Exchange) -> Self {
            let state = State {
                n_operations: AtomicUsize::new(0),
                faulty_operation,
                fault,
                locks: Mutex::default(),
                log: Mutex::default(),
            };
            FaultyFileSystem { state: Arc::new(state), exchange }
        }

        /// Never fails.
        pub(crate) fn healthy(exchange: Exchange) -> Self {
            FaultyFileSystem::new(usize::MAX, Fault::Death, exchange)
        }

        /// Whether the faulty operation was reached.
        pub(crate) fn was_hit(&self) -> bool {
            self.state.n_operations.load(Ordering::SeqCst) > self.state.faulty_operation
        }

        /// The operations in order: `rename a b`, paths cut to their last name.
        pub(crate) fn log(&self) -> Vec<String> {
            self.state.log.lock().unwrap().clone()
        }
    }

    impl State {
        fn step(&self, operation: &str, paths: &[&Path]) -> io::Result<()> {
            let n = self.n_operations.fetch_add(1, Ordering::SeqCst);
            let mut line = operation.to_owned();
            for path in paths {
                line.push(' ');
                line.push_str(&path.file_name().unwrap_or_default().to_string_lossy());
            }
            self.log.lock().unwrap().push(line);
            match self.fault {
                Fault::Once(kind) if n == self.faulty_operation => Err(io::Error::new(kind, "injected")),
                Fault::Death if n >= self.faulty_operation => {
                    for lock in self.locks.lock().unwrap().drain(..).filter_map(|lock| lock.upgrade()) {
                        lock.unlock()?;
                    }
                    Err(io::Error::other("the process is dead"))
                }
                _ => Ok(()),
            }
        }
    }

    struct FaultyFile {
        state: Arc<State>,
        path: PathBuf,
        file: Box<dyn OutputFile>,
    }

    impl OutputFile for FaultyFile {
        fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
            let step = self.state.step("write", &[&self.path]);
            if step.is_err() {
                self.file.write_all(&bytes[..bytes.len() / 2])?;
            }
            step.and_then(|()| self.file.write_all(bytes))
        }

        fn sync(&mut self) -> io::Result<()> {
            self.state.step("sync", &[&self.path])
        }
    }

    impl FileSystem for FaultyFileSystem {
        fn create_dir_all(&self, path: &Path) -> io::Result<()> {
            let missing: Vec<&Path> = path.ancestors().take_while(|p| !p.exists()).collect();
            missing.into_iter().rev().try_for_each(|directory| self.create_dir(directory))
        }

        fn create_dir(&self, path: &Path) -> io::Result<()> {
            self.state.step("create_dir", &[path])?;
            LocalFileSystem.create_dir(path)
        }

        fn create_file(&self, path: &Path) -> io::Result<Box<dyn OutputFile>> {
            self.state.step("create_file", &[path])?;
            let file = LocalFileSystem.create_file(path)?;
            Ok(Box::new(FaultyFile { state: Arc::clone(&self.state), path: path.to_owned(), file }))
        }

        fn sync_dir(&self, path: &Path) -> io::Result<()> {
            self.state.step("sync_dir", &[path])
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.state.step("rename", &[from, to])?;
            LocalFileSystem.rename(from, to)
        }

        fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
            self.state.step("exchange", &[a, b])?;
            match self.exchange {
                Exchange::Supported => LocalFileSystem.exchange(a, b),
                Exchange::Unsupported => Err(ErrorKind::Unsupported.into()),
            }
        }

        fn copy_permissions(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.state.step("copy_permissions", &[from, to])?;
            LocalFileSystem.copy_permissions(from, to)
        }

        fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
            if LocalFileSystem.kind(path)?.is_none() {
                return Ok(());
            }
            let mut entries = LocalFileSystem.read_dir(path)?;
            entries.sort_by(|a, b| a.name.cmp(&b.name));
            for entry in entries {
                match entry.kind {
                    EntryKind::Directory => self.remove_dir_all(&path.join(entry.name))?,
                    _ => self.remove_file(&path.join(entry.name))?,
                }
            }
            self.state.step("remove_dir", &[path])?;
            fs::remove_dir(path)
        }

        fn remove_file(&self, path: &Path) -> io::Result<()> {
            self.state.step("remove_file", &[path])?;
            LocalFileSystem.remove_file(path)
        }

        fn append_file(&self, from: &Path, to: &Path, sync: bool) -> io::Result<()> {
            self.state.step("append_file", &[from, to])?;
            LocalFileSystem.append_file(from, to, sync)
        }

        fn kind(&self, path: &Path) -> io::Result<Option<EntryKind>> {
            self.state.step("kind", &[path])?;
            LocalFileSystem.kind(path)
        }

        fn is_mount_point(&self, path: &Path) -> io::Result<bool> {
            self.state.step("is_mount_point", &[path])?;
            LocalFileSystem.is_mount_point(path)
        }

        fn read_dir(&self, path: &Path) -> io::Result<Vec<DirectoryEntry>> {
            self.state.step("read_dir", &[path])?;
            LocalFileSystem.read_dir(path)
        }

        fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
            self.state.step("read", &[path])?;
            LocalFileSystem.read(path)
        }

        fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
            self.state.step("canonicalize", &[path])?;
            LocalFileSystem.canonicalize(path)
        }

        fn try_lock(&self, path: &Path, note: &str) -> io::Result<Option<FileLock>> {
            self.state.step("lock", &[path])?;
            let lock = LocalFileSystem.try_lock(path, note)?;
            self.state.locks.lock().unwrap().extend(lock.iter().map(|lock| Arc::downgrade(&lock._file)));
            Ok(lock)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchange_swaps_two_directories() {
        let root = tempfile::tempdir().unwrap();
        let (a, b) = (root.path().join("a"), root.path().join("b"));
        fs::create_dir(&a).unwrap();
        fs::create_dir(&b).unwrap();
        fs::write(a.join("x"), "1").unwrap();
        match LocalFileSystem.exchange(&a, &b) {
            Ok(()) => assert!(b.join("x").exists() && !a.join("x").exists()),
            Err(e) => assert_eq!(e.kind(), ErrorKind::Unsupported),
        }
    }

    #[test]
    fn a_lock_is_held_once_and_may_be_removed_while_held() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("lock");
        let first = LocalFileSystem.try_lock(&path, "one").unwrap().unwrap();
        assert!(LocalFileSystem.try_lock(&path, "two").unwrap().is_none());
        assert_eq!(fs::read(&path).unwrap(), b"one");
        LocalFileSystem.remove_file(&path).unwrap();
        drop(first);
        assert!(LocalFileSystem.try_lock(&path, "three").unwrap().is_some());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn mount_points_are_known() {
        let root = tempfile::tempdir().unwrap();
        assert!(LocalFileSystem.is_mount_point(Path::new("/")).unwrap());
        assert!(!LocalFileSystem.is_mount_point(root.path()).unwrap());
    }

    #[test]
    fn errors_say_whose_move_it_is() {
        let code = |kind: ErrorKind| file_error("write", Path::new("/x"), kind.into(), codes::COMMIT).code();
        assert_eq!(code(ErrorKind::StorageFull), codes::DISK_LIMIT);
        assert_eq!(code(ErrorKind::PermissionDenied), codes::ACCESS_DENIED);
        assert_eq!(code(ErrorKind::Other), codes::COMMIT);
    }
}
