//! Which files a location holds.
//!
//! Source: Hive's `HiveInputFormat` on Tez over Hadoop's `FileInputFormat` with `mapred.input.dir.recursive=true`,
//! and Hadoop's `RawLocalFileSystem`: nested folders are read, names that start with `_` or `.` are not, symlinks are
//! followed, and a file or folder that two names lead to is read under each. Unlike Hadoop, a symlink back to a
//! folder that it lies in ends there, and only regular files are read.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::path::sort_key;
use super::{FileMeta, FileVersion, StoragePath, io_error};
use crate::error::{Error, Result, codes};

/// Folders inside folders, more than which is an error.
const DEPTH_MAX: usize = 40;

/// The files below a location.
#[derive(Debug, Default)]
pub struct Listing {
    /// Sorted bytewise by path.
    pub files: Vec<FileMeta>,
    /// Entries skipped because their name starts with `_` or `.`; a folder counts as one.
    pub hidden: u64,
    /// Entries skipped because there is nothing to read in them: FIFOs, sockets, devices, symlinks to nowhere and
    /// symlinks back to a folder that they lie in.
    pub skipped_special: u64,
}

/// Lists every file below `local`, or `local` itself if it is a file. The location's own name may be a hidden one.
///
/// Errors: `NOT_FOUND`; `ACCESS_DENIED`, also of a folder below; `STORAGE`, also if folders are nested more than 40
/// deep, and for a location that is neither file nor folder.
pub(super) fn list_local(local: &Path) -> Result<Listing> {
    let metadata = fs::metadata(local).map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => not_found(local, cause),
        _ => io_error("list", local, cause),
    })?;
    let mut listing = Listing::default();
    if metadata.is_file() {
        listing.files.push(file_meta(StoragePath::from_local(local)?, &metadata));
    } else if metadata.is_dir() {
        list_folder(local, &mut vec![(metadata.dev(), metadata.ino())], &mut listing)?;
        listing.files.sort_unstable_by(|a, b| sort_key(&a.path).cmp(sort_key(&b.path)));
    } else {
        return Err(Error::new(codes::STORAGE, format!("{} is neither a file nor a folder", local.display())));
    }
    Ok(listing)
}

/// `above` holds device and inode of this folder and of those that it lies in.
fn list_folder(local: &Path, above: &mut Vec<(u64, u64)>, listing: &mut Listing) -> Result<()> {
    for entry in fs::read_dir(local).map_err(|cause| io_error("list", local, cause))? {
        let entry = entry.map_err(|cause| io_error("list", local, cause))?;
        let name = entry.file_name();
        if matches!(name.as_bytes().first(), Some(b'_' | b'.')) {
            listing.hidden += 1;
            continue;
        }
        let path = local.join(&name);
        let found = match entry.file_type() {
            Ok(kind) if kind.is_symlink() => fs::metadata(&path),
            Ok(_) => entry.metadata(),
            Err(cause) => Err(cause),
        };
        let metadata = match found {
            Ok(metadata) => metadata,
            // A symlink to nowhere or to itself; or the file was removed since, which is as if it never was there.
            Err(cause) if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                listing.skipped_special += u64::from(fs::symlink_metadata(&path).is_ok());
                continue;
            }
            Err(cause) if cause.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                listing.skipped_special += 1;
                continue;
            }
            Err(cause) => return Err(io_error("list", &path, cause)),
        };
        if metadata.is_file() {
            listing.files.push(file_meta(StoragePath::local_child(local, &name), &metadata));
        } else if metadata.is_dir() {
            let id = (metadata.dev(), metadata.ino());
            if above.contains(&id) {
                listing.skipped_special += 1;
                continue;
            }
            if above.len() > DEPTH_MAX {
                let message = format!("{} is nested more than {DEPTH_MAX} folders deep", path.display());
                return Err(Error::new(codes::STORAGE, message));
            }
            above.push(id);
            list_folder(&path, above, listing)?;
            above.pop();
        } else {
            listing.skipped_special += 1;
        }
    }
    Ok(())
}

fn file_meta(path: StoragePath, metadata: &Metadata) -> FileMeta {
    FileMeta { path, len: metadata.len(), version: FileVersion::of_local(metadata) }
}

/// The error for a location that is not there, with a hint where the path stops being right.
fn not_found(path: &Path, cause: io::Error) -> Error {
    let error = Error::new(codes::NOT_FOUND, format!("{} does not exist", path.display())).with_source(cause);
    let mut missing = path;
    while let Some(parent) = missing.parent() {
        if parent.is_file() {
            return error.with_hint(format!("{} is a file", parent.display()));
        }
        if let Ok(entries) = fs::read_dir(parent) {
            let wanted = missing.file_name().unwrap_or_default();
            let mut names = entries.filter_map(|entry| entry.ok().map(|entry| entry.file_name()));
            return match names.find(|name| name.eq_ignore_ascii_case(wanted)) {
                Some(name) if missing == path => {
                    error.with_hint(format!("did you mean {}?", parent.join(name).display()))
                }
                Some(name) => error.with_hint(format!("there is {}", parent.join(name).display())),
                None if missing == path => error,
                None => error.with_hint(format!("nor does {}", missing.display())),
            };
        }
        missing = parent;
    }
    error
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    use super::*;

    fn list(path: impl AsRef<Path>) -> Result<Listing> {
        list_local(path.as_ref())
    }

    /// A folder with these files, each holding its own name; names that end in `/` are folders.
    fn tree(names: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            let path = dir.path().join(name);
            if name.ends_with('/') {
                fs::create_dir_all(path).unwrap();
            } else {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, name).unwrap();
            }
        }
        dir
    }

    #[track_caller]
    fn check(dir: &Path, expect: &[&str], hidden: u64, skipped_special: u64) {
        let listing = list(dir).unwrap();
        let names: Vec<PathBuf> = listing
            .files
            .iter()
            .map(|file| file.path.as_local().unwrap().strip_prefix(dir).unwrap().to_owned())
            .collect();
        assert_eq!(names, expect.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!((listing.hidden, listing.skipped_special), (hidden, skipped_special));
    }

    #[test]
    fn nested_and_hidden() {
        let dir = tree(&[
            "b.gz",
            "a/x",
            "a-b",
            "a.tmp",
            "x.COPYING",
            "_SUCCESS",
            ".hidden",
            "_temporary/0/x",
            ".hive-staging/x",
            "a/_x",
            "a/b/c/d",
            "empty/",
        ]);
        check(dir.path(), &["a-b", "a.tmp", "a/b/c/d", "a/x", "b.gz", "x.COPYING"], 5, 0);
        check(&dir.path().join("_temporary"), &["0/x"], 0, 0);
        check(&dir.path().join("empty"), &[], 0, 0);
    }

    #[test]
    fn a_location_that_is_a_file() {
        let dir = tree(&["a/x"]);
        let listing = list(dir.path().join("a/x")).unwrap();
        assert_eq!((listing.files.len(), listing.files[0].len), (1, 3));
    }

    #[test]
    fn symlinks_are_followed_and_loops_end() {
        let dir = tree(&["a/x", "b/y", "a/c/"]);
        symlink("..", dir.path().join("a/c/up")).unwrap();
        symlink(".", dir.path().join("self")).unwrap();
        symlink("nowhere", dir.path().join("dangling")).unwrap();
        symlink("b/y/z", dir.path().join("through_a_file")).unwrap();
        symlink("ring", dir.path().join("ring")).unwrap();
        symlink("../b", dir.path().join("a/b")).unwrap();
        symlink("a/x", dir.path().join("x")).unwrap();
        check(dir.path(), &["a/b/y", "a/x", "b/y", "x"], 0, 5);
    }

    #[test]
    fn fifos_and_sockets_are_skipped() {
        let dir = tree(&["a"]);
        let fifo = dir.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
        symlink("/dev/null", dir.path().join("null")).unwrap();
        check(dir.path(), &["a"], 0, 3);
        assert_eq!(list(&fifo).unwrap_err().code(), codes::STORAGE);
    }

    #[test]
    fn nested_too_deep_is_an_error() {
        let dir = tree(&[&format!("{}x", "d/".repeat(40))]);
        assert_eq!(list(dir.path()).unwrap().files.len(), 1);
        let dir = tree(&[&format!("{}x", "d/".repeat(41))]);
        assert!(list(dir.path()).unwrap_err().message().contains("40"));
    }

    #[test]
    fn what_is_missing() {
        let dir = tree(&["Logs/a/x"]);
        let error = |name: &str| list(dir.path().join(name)).unwrap_err();
        let check = |name: &str, hint: Option<&str>| {
            let error = error(name);
            assert_eq!(error.code(), codes::NOT_FOUND);
            assert!(error.message().ends_with(&format!("{name} does not exist")), "{}", error.message());
            match hint {
                Some(hint) => assert!(error.hints()[0].contains(hint), "{:?}", error.hints()),
                None => assert!(error.hints().is_empty(), "{:?}", error.hints()),
            }
        };
        check("nothing", None);
        check("logs", Some("did you mean"));
        check("logs/a/x", Some("there is"));
        check("nothing/of/this", Some("nor does"));
        check("Logs/a/x/y", Some("is a file"));
    }

    #[test]
    fn permission_denied() {
        let dir = tree(&["a/x", "b"]);
        let closed = dir.path().join("a");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
        let result = list(dir.path());
        // The superuser reads everything.
        if fs::read_dir(&closed).is_err() {
            assert_eq!(result.unwrap_err().code(), codes::ACCESS_DENIED);
        }
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    }
}
