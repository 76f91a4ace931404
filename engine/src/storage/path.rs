//! Where something is, as a script wrote it.
//!
//! Source: Hadoop's `Path`, which takes the text before a `:` for a scheme, folds repeated slashes and drops a
//! trailing one. Unlike Hadoop, `..` is resolved here, so that two spellings of one place compare equal; it is
//! resolved in the text, before any symlink. Globs are not expanded.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Result, codes};

/// A place as scripts write it, in its simplest spelling.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoragePath(Place);

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Place {
    /// Absolute; no `.`, no `..`, no repeated or trailing slash.
    Local(PathBuf),
    S3(ObjectPath),
}

/// A place in S3: an object, or all those whose keys start with `key` and a slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectPath {
    pub bucket: String,
    /// Without a slash at its start or end; empty for the whole bucket.
    pub key: String,
}

impl ObjectPath {
    /// The place of `name` below this one.
    pub fn child(&self, name: &str) -> ObjectPath {
        ObjectPath { bucket: self.bucket.clone(), key: format!("{}{name}", self.folder()) }
    }

    /// The place that this one lies right below; of a bucket, the bucket.
    pub fn parent(&self) -> ObjectPath {
        let key = self.key.rsplit_once('/').map_or("", |(parent, _)| parent);
        ObjectPath { bucket: self.bucket.clone(), key: key.to_owned() }
    }

    /// What the keys of all objects below start with.
    pub fn folder(&self) -> String {
        if self.key.is_empty() { String::new() } else { format!("{}/", self.key) }
    }
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

impl StoragePath {
    /// Reads `text`: relative, absolute, `file:/x` or `file:///x`, `s3://bucket/key`. A relative path is relative to
    /// `working_dir`. `s3a:` and `s3n:` are other names of `s3:`.
    ///
    /// A percent sign is a percent sign, as in Hadoop, for Hive itself writes `dt=2014-07-05%2010` into folder names.
    /// Only in the form with two slashes, `file://`, which tools other than Hive write, are percent escapes decoded.
    ///
    /// Errors: `UNSUPPORTED_SCHEME`; `BAD_SETTING` for text that names no place.
    pub fn parse(text: &str, working_dir: &Path) -> Result<StoragePath> {
        let bad = |what: &str| Error::new(codes::BAD_SETTING, format!("the path `{text}` {what}"));
        if text.is_empty() {
            return Err(Error::new(codes::BAD_SETTING, "the path is empty"));
        }
        if text.contains('\0') {
            return Err(bad("holds a NUL byte"));
        }
        let Some((scheme, rest)) = split_scheme(text) else {
            return StoragePath::from_local(&working_dir.join(text));
        };
        let scheme = scheme.to_ascii_lowercase();
        match scheme.as_str() {
            "file" => {}
            "s3" | "s3a" | "s3n" => return parse_s3(rest).map_err(|what| bad(&what)),
            _ => {
                let message = format!("paths of `{scheme}:` are not read or written");
                return Err(Error::new(codes::UNSUPPORTED_SCHEME, message)
                    .with_hint("local paths and S3 work: `dir/x`, `/dir/x`, `file:///dir/x`, `s3://bucket/x`"));
            }
        }
        let Some(after_slashes) = rest.strip_prefix("//") else {
            if !rest.starts_with('/') {
                return Err(bad("is relative; after `file:` an absolute path is expected"));
            }
            return StoragePath::from_local(Path::new(rest));
        };
        let (host, rest) = after_slashes.split_at(after_slashes.find('/').unwrap_or(after_slashes.len()));
        if !host.is_empty() && host != "localhost" {
            return Err(bad(&format!("names the host `{host}`; after `file://` a third slash is expected")));
        }
        let decoded = decode_percent(rest);
        if decoded.contains(&0) {
            return Err(bad("holds a NUL byte"));
        }
        if decoded.is_empty() {
            return Err(bad("names no place"));
        }
        StoragePath::from_local(Path::new(&OsString::from_vec(decoded)))
    }

    /// The place that the operating system calls `path`; if relative, relative to where the process stands.
    pub fn from_local(path: &Path) -> Result<StoragePath> {
        let absolute = std::path::absolute(path).map_err(|cause| super::io_error("find", path, cause))?;
        let mut local = PathBuf::from("/");
        for component in absolute.components() {
            match component {
                Component::Normal(name) => local.push(name),
                Component::ParentDir => {
                    local.pop();
                }
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            }
        }
        Ok(StoragePath(Place::Local(local)))
    }

    /// The place of an object that a listing found.
    pub(crate) fn of_object(object: ObjectPath) -> StoragePath {
        StoragePath(Place::S3(object))
    }

    /// The place of `name` in the local folder `folder`, which is absolute and simple. `name` is one component and not
    /// `.` or `..`.
    pub(super) fn local_child(folder: &Path, name: &OsStr) -> StoragePath {
        StoragePath(Place::Local(folder.join(name)))
    }

    /// The place as the operating system knows it, if it is local.
    pub fn as_local(&self) -> Option<&Path> {
        match &self.0 {
            Place::Local(path) => Some(path),
            Place::S3(_) => None,
        }
    }

    /// The place in S3, if it is there.
    pub fn as_object(&self) -> Option<&ObjectPath> {
        match &self.0 {
            Place::Local(_) => None,
            Place::S3(object) => Some(object),
        }
    }

    /// What stands after the last slash.
    pub fn file_name(&self) -> &[u8] {
        match &self.0 {
            Place::Local(path) => path.file_name().unwrap_or_default().as_bytes(),
            Place::S3(object) => object.key.rsplit('/').next().unwrap_or_default().as_bytes(),
        }
    }

    /// What stands before the last slash.
    pub fn folder_name(&self) -> &[u8] {
        match &self.0 {
            Place::Local(path) => path.parent().map_or(&[], |parent| parent.as_os_str().as_bytes()),
            Place::S3(object) => object.key.rsplit_once('/').map_or(&[], |(folder, _)| folder.as_bytes()),
        }
    }

    /// The plain absolute path or the URL, for messages. Bytes that are not UTF-8 become U+FFFD.
    pub fn display(&self) -> impl fmt::Display {
        fmt::from_fn(|f| match &self.0 {
            Place::Local(path) => write!(f, "{}", path.display()),
            Place::S3(object) => write!(f, "{object}"),
        })
    }

    /// Whether one is the other, or lies in it, once symlinks are followed.
    ///
    /// What does not exist yet is looked for below its nearest ancestor that does.
    pub fn overlaps(&self, other: &StoragePath) -> bool {
        match (&self.0, &other.0) {
            (Place::Local(own), Place::Local(others)) => overlap(own, others),
            (Place::S3(own), Place::S3(others)) => {
                let lies_in = |inner: &ObjectPath, outer: &ObjectPath| {
                    inner.key == outer.key || inner.key.starts_with(&outer.folder())
                };
                own.bucket == others.bucket && (lies_in(own, others) || lies_in(others, own))
            }
            _ => false,
        }
    }
}

fn overlap(own: &Path, others: &Path) -> bool {
    let (own, others) = (resolved(own), resolved(others));
    if own.starts_with(&others) || others.starts_with(&own) {
        return true;
    }
    // A bind mount gives one folder two paths, neither of them a symlink.
    let lies_in = |inner: &Path, outer: &Path| {
        identity(outer).is_some_and(|id| inner.ancestors().any(|ancestor| identity(ancestor) == Some(id)))
    };
    lies_in(&own, &others) || lies_in(&others, &own)
}

/// The path without symlinks, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let Ok(mut resolved) = fs::canonicalize(ancestor) {
            if let Ok(missing) = path.strip_prefix(ancestor)
                && !missing.as_os_str().is_empty()
            {
                resolved.push(missing);
            }
            return resolved;
        }
    }
    path.to_owned()
}

/// Reads what follows `s3:`. Hadoop folds repeated slashes, and so `s3://b//x` is the object `x`.
fn parse_s3(rest: &str) -> Result<StoragePath, String> {
    let Some(rest) = rest.strip_prefix("//") else {
        return Err("names no bucket; `s3://bucket/key` is expected".to_owned());
    };
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    let is_name = !bucket.is_empty()
        && bucket.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    if !is_name {
        return Err(format!("names the bucket `{bucket}`, which no bucket is called"));
    }
    if key.chars().any(char::is_control) {
        return Err("holds a control character".to_owned());
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in key.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    Ok(StoragePath(Place::S3(ObjectPath { bucket: bucket.to_owned(), key: parts.join("/") })))
}

/// Device and inode.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// As Hive shows a location: `file:/dir/x`, `s3://bucket/x`. Parsing it gives the same place, if it is UTF-8.
impl fmt::Display for StoragePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Local(path) => write!(f, "file:{}", path.display()),
            Place::S3(object) => write!(f, "{object}"),
        }
    }
}

/// Scheme and rest, if the text before the first `:` can only be a scheme. `10:30.log` is a name, and so is `a:b`,
/// which Hadoop refuses.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let mut bytes = scheme.bytes();
    let well_formed = bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    (well_formed && (rest.starts_with('/') || scheme.eq_ignore_ascii_case("file"))).then_some((scheme, rest))
}

/// The key of an S3 URL as it stands there, if it has empty parts, which [`StoragePath::parse`] folds.
pub(super) fn unfolded_key(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let (_, key) = rest.split_once('/')?;
    let key = key.strip_suffix('/').unwrap_or(key);
    (key.starts_with('/') || key.contains("//")).then_some(key)
}

/// Replaces `%41` by `A`; a percent sign that two hex digits do not follow stays.
pub(super) fn decode_percent(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|&b| char::from(b).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'%'
            && let (Some(high), Some(low)) = (hex(at + 1), hex(at + 2))
        {
            decoded.push((high * 16 + low) as u8);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    decoded
}

/// The bytes that listings are sorted by.
pub(super) fn sort_key(path: &StoragePath) -> &[u8] {
    match &path.0 {
        Place::Local(path) => path.as_os_str().as_bytes(),
        Place::S3(object) => object.key.as_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let path = StoragePath::parse(text, Path::new("/work dir")).unwrap();
        assert_eq!(path.display().to_string(), expect, "{text}");
        assert_eq!(StoragePath::parse(&path.to_string(), Path::new("/")).unwrap(), path, "{text}: what is shown");
    }

    #[track_caller]
    fn check_error(text: &str, code: codes::Code, part: &str) {
        let error = StoragePath::parse(text, Path::new("/w")).unwrap_err();
        assert_eq!(error.code(), code, "{text}");
        assert!(error.message().contains(part), "{text}: {}", error.message());
    }

    #[test]
    fn spellings_of_a_local_path() {
        check("x", "/work dir/x");
        check("x/", "/work dir/x");
        check("./a//b/./c/", "/work dir/a/b/c");
        check("../x", "/x");
        check("../../../x", "/x");
        check("/", "/");
        check(".", "/work dir");
        check("/a/b/../c", "/a/c");
        check("//a///b", "/a/b");
        check("file:/a b", "/a b");
        check("file:///a/b", "/a/b");
        check("FILE:///a", "/a");
        check("file://localhost/a", "/a");
        check("file:////a", "/a");
    }

    #[test]
    fn percent_is_an_escape_only_after_file_and_two_slashes() {
        check("/a%20b", "/a%20b");
        check("file:/a%20b", "/a%20b");
        check("file:///a%20b%2Fc%zz%4", "/a b/c%zz%4");
        let path = StoragePath::parse("file:///a%ff", Path::new("/")).unwrap();
        assert_eq!(path.as_local().unwrap().as_os_str().as_bytes(), b"/a\xff");
    }

    #[test]
    fn spellings_of_a_place_in_s3() {
        check("s3://bucket/a/b.gz", "s3://bucket/a/b.gz");
        check("s3a://bucket//a///b/", "s3://bucket/a/b");
        check("S3N://bucket", "s3://bucket/");
        check("s3://my.bucket-1/./a/../b", "s3://my.bucket-1/b");
        check("s3://b/dt=2014-07-05%2010/x y", "s3://b/dt=2014-07-05%2010/x y");
        let name = |text| StoragePath::parse(text, Path::new("/")).unwrap().file_name().to_owned();
        assert_eq!((name("s3://b/a/x.gz"), name("s3://b/x.gz")), (b"x.gz".to_vec(), b"x.gz".to_vec()));
    }

    #[test]
    fn overlaps_in_s3() {
        let check = |a: &str, b: &str, expect: bool| {
            let [a, b] = [a, b].map(|text| StoragePath::parse(text, Path::new("/w")).unwrap());
            assert_eq!((a.overlaps(&b), b.overlaps(&a)), (expect, expect), "{a} {b}");
        };
        check("s3://b/in", "s3a://b/in/", true);
        check("s3://b/in", "s3n://b/in/x/y", true);
        check("s3://b", "s3://b/in", true);
        check("s3://b/in", "s3://b/into", false);
        check("s3://b/in", "s3://c/in", false);
        check("s3://b/w", "/w", false);
    }

    #[test]
    fn names_with_colons_and_globs_are_names() {
        check("10:30.log", "/work dir/10:30.log");
        check("a:b", "/work dir/a:b");
        check("/logs/dt=2014-07-05 10:00/*", "/logs/dt=2014-07-05 10:00/*");
        check("{a,b}?[c]", "/work dir/{a,b}?[c]");
    }

    #[test]
    fn places_that_are_none() {
        for scheme in ["hdfs", "http", "https", "viewfs"] {
            check_error(&format!("{scheme}://bucket/key"), codes::UNSUPPORTED_SCHEME, &format!("`{scheme}:`"));
        }
        check_error("s3:/b/k", codes::BAD_SETTING, "no bucket");
        check_error("s3:///k", codes::BAD_SETTING, "the bucket ``");
        check_error("s3://b c/k", codes::BAD_SETTING, "`b c`");
        check_error("s3://b/a\nb", codes::BAD_SETTING, "control");
        check_error("hdfs:/x", codes::UNSUPPORTED_SCHEME, "`hdfs:`");
        check_error("", codes::BAD_SETTING, "empty");
        check_error("file:", codes::BAD_SETTING, "relative");
        check_error("file://", codes::BAD_SETTING, "no place");
        check_error("file:x", codes::BAD_SETTING, "relative");
        check_error("file://host/x", codes::BAD_SETTING, "`host`");
        check_error("a\0b", codes::BAD_SETTING, "NUL");
        check_error("file:///a%00b", codes::BAD_SETTING, "NUL");
    }

    #[test]
    fn overlaps_through_symlinks_and_missing_parts() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("in/a")).unwrap();
        fs::create_dir_all(dir.path().join("into")).unwrap();
        symlink("in", dir.path().join("link")).unwrap();
        let check = |a: &str, b: &str, expect: bool| {
            let [a, b] = [a, b].map(|text| StoragePath::parse(text, dir.path()).unwrap());
            assert_eq!(a.overlaps(&b), expect, "{a} {b}");
            assert_eq!(b.overlaps(&a), expect, "{b} {a}");
        };
        check("in", "in", true);
        check("in", "in/", true);
        check("in", "in/a", true);
        check("in", "./x/../in/a/b/c", true);
        check("in", "link", true);
        check("in/a", "link/a/new", true);
        check("in/new/x", "link/new", true);
        check("in", ".", true);
        check("in", "into", false);
        check("in/a", "in/b", false);
        check("link/new", "in/new2", false);
        check("missing/x", "missing/y", false);
        check("missing/x", "missing", true);
    }
}
