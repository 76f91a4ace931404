//! Bytes: open, list, read ranges, write, rename. Knows no lines.
//!
//! A [`StoragePath`] is where something is, as a script wrote it; [`list`] finds the files below it; [`open`] gives
//! one of them for positional reads. Inputs are never memory-mapped: a file that shrinks while it is read is an
//! error and not a signal. Everything here blocks, and nothing here decides what is done about an error.
//!
//! Only local files so far. A path of another scheme is refused in one place, [`StoragePath::parse`]; what reads it
//! one day is one more [`ReadAt`].

mod file;
mod files;
mod list;
mod path;
mod scratch;

pub mod filesystem;

pub use file::{FileMeta, FileVersion, ReadAt, open};
pub use files::{Files, FoundFile, Place};
pub use list::{Listing, list};
pub use path::StoragePath;
pub use scratch::{ScratchDirectory, make_private};

use std::io;
use std::path::Path;

use crate::error::{Error, codes};

/// Makes the error of an operation that the operating system refused. `action` reads after "cannot".
pub(crate) fn io_error(action: &str, path: &Path, cause: io::Error) -> Error {
    use io::ErrorKind;
    let code = match cause.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => codes::NOT_FOUND,
        ErrorKind::PermissionDenied => codes::ACCESS_DENIED,
        _ => codes::STORAGE,
    };
    let message = match cause.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => format!("{} does not exist", path.display()),
        ErrorKind::PermissionDenied => format!("cannot {action} {}: permission denied", path.display()),
        _ => format!("cannot {action} {}", path.display()),
    };
    Error::new(code, message).with_source(cause)
}
