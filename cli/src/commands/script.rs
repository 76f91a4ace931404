//! Finds the text of scripts: files, standard input.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use logq_engine::error::{Error, Result, SourceText, codes};
use logq_engine::{Storage, StoragePath};

/// A script's text, and how its author wrote it.
#[derive(Debug, Clone)]
pub struct Script {
    pub source: Arc<SourceText>,
    /// Whether it comes from a file and not from `-e`: comment lines are dropped before it is split.
    pub is_file: bool,
}

impl Script {
    /// The text of `-e`.
    pub fn of_command_line(text: &str) -> Self {
        let source = SourceText { name: "<command line>".into(), text: text.to_owned() };
        Script { source: Arc::new(source), is_file: false }
    }

    /// All of standard input.
    pub fn of_stdin() -> Result<Self> {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .map_err(|error| Error::new(codes::STORAGE, "cannot read standard input").with_source(error))?;
        decode("<stdin>", bytes)
    }

    /// The script at `name`: a path relative to `working_dir`, a `file:` or `s3:` URL, or `-` for standard input.
    ///
    /// Errors: `NotFound`, `AccessDenied`; `Unsupported` for other schemes; `Syntax` if it is not UTF-8.
    pub fn of_file(name: &str, working_dir: &Path, storage: &Storage) -> Result<Self> {
        if name == "-" {
            return Script::of_stdin();
        }
        let Some(path) = local_path(name) else {
            let bytes = storage.read(&StoragePath::parse(name, working_dir)?)?;
            return decode(name, bytes);
        };
        let bytes = std::fs::read(working_dir.join(path)).map_err(|error| {
            let (code, what) = match error.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => {
                    return Error::new(codes::NOT_FOUND, format!("there is no script `{name}`"));
                }
                ErrorKind::PermissionDenied => (codes::ACCESS_DENIED, "may not be read"),
                ErrorKind::IsADirectory => {
                    return Error::new(codes::USAGE, format!("`{name}` is a directory, expected a script"));
                }
                _ => (codes::STORAGE, "cannot be read"),
            };
            Error::new(code, format!("the script `{name}` {what}")).with_source(error)
        })?;
        decode(name, bytes)
    }
}

/// The local path that `name` stands for; `None` if it is a URL of another scheme than `file`.
fn local_path(name: &str) -> Option<PathBuf> {
    let (scheme, rest) = match name.split_once(':') {
        Some((scheme, rest)) if rest.starts_with('/') => (scheme, rest),
        _ => return Some(PathBuf::from(name)),
    };
    match scheme.to_ascii_lowercase().as_str() {
        // file:///a, file://localhost/a, file:/a
        "file" => {
            let path = rest.strip_prefix("//").map_or(rest, |path| path.strip_prefix("localhost").unwrap_or(path));
            Some(PathBuf::from(path))
        }
        _ if rest.starts_with("//") => None,
        _ => Some(PathBuf::from(name)),
    }
}

/// Bytes → text. A byte order mark at the start is no part of the script.
fn decode(name: &str, bytes: Vec<u8>) -> Result<Script> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(at).copied().unwrap_or_default();
        let not_utf8 = Error::new(codes::SYNTAX, format!("the script is not UTF-8: found the byte 0x{byte:02X}"));
        let not_utf8 = not_utf8.in_file(name, Some(at as u64), None);
        match error.as_bytes() {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => not_utf8.with_hint("it looks like UTF-16; save it as UTF-8"),
            _ => not_utf8,
        }
    })?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(text) => text.to_owned(),
        None => text,
    };
    Ok(Script { source: Arc::new(SourceText { name: name.to_owned(), text }), is_file: true })
}

#[cfg(test)]
mod tests {
    use logq_engine::config::EngineConfig;

    use crate::exit_code;

    use super::*;

    fn read(name: &str, bytes: &[u8]) -> Result<Script> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.q"), bytes).unwrap();
        let storage = Storage::new(&EngineConfig::default());
        Script::of_file(&name.replace("$DIR", &dir.path().display().to_string()), dir.path(), &storage)
    }

    #[test]
    fn paths_and_urls() {
        for name in ["a.q", "./a.q", "$DIR/a.q", "file://$DIR/a.q", "file:$DIR/a.q", "FILE://localhost$DIR/a.q"] {
            assert_eq!(read(name, b"SELECT 1").unwrap().source.text, "SELECT 1", "{name}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert_eq!(read("a.q", b"\xef\xbb\xbfSELECT 1").unwrap().source.text, "SELECT 1");
    }

    #[test]
    fn what_cannot_be_read() {
        let check = |name: &str, bytes: &[u8], message: &str, code: u8| {
            let error = read(name, bytes).unwrap_err();
            assert_eq!((error.message(), exit_code::of(&error)), (message, code));
        };
        check("b.q", b"", "there is no script `b.q`", 4);
        check("a.q/b.q", b"", "there is no script `a.q/b.q`", 4);
        check(".", b"", "`.` is a directory, expected a script", 2);
        check("hdfs://b/x.q", b"", "paths of `hdfs:` are not read or written", 3);
        check("a.q", b"SELECT '\xe9'", "the script is not UTF-8: found the byte 0xE9", 3);
    }
}
