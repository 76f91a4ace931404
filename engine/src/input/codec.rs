//! How a file is compressed: what its name says, and what its first bytes say.
//!
//! Source: Hadoop's `CompressionCodecFactory`, which looks at the end of the name, upper and lower case told apart.

use std::fmt;

use crate::error::{Error, Result, codes};
use crate::storage::StoragePath;

/// A compression that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    Plain,
    /// `.gz`: RFC 1952, any number of members.
    Gzip,
    /// `.bz2`, any number of streams.
    Bzip2,
    /// `.zst`, any number of frames.
    Zstd,
    /// `.deflate`: RFC 1950, which is zlib's format and what Hadoop calls deflate.
    Deflate,
}

impl Codec {
    /// What the name says.
    ///
    /// Errors: `UNSUPPORTED` for a compression that Hive would read and logq does not. What Hive reads as plain text,
    /// like `.xz` and `.zip`, is plain here too.
    pub fn of_name(path: &StoragePath) -> Result<Codec> {
        match extension(path) {
            b".gz" => Ok(Codec::Gzip),
            b".bz2" => Ok(Codec::Bzip2),
            b".zst" => Ok(Codec::Zstd),
            b".deflate" => Ok(Codec::Deflate),
            b".snappy" | b".lz4" | b".lzo" | b".lzo_deflate" => {
                let name = String::from_utf8_lossy(extension(path));
                Err(Error::new(codes::UNSUPPORTED, format!("files compressed as `{name}` are not read"))
                    .in_file(path.display().to_string(), None, None)
                    .with_hint("`.gz`, `.bz2`, `.zst`, `.deflate` and plain files are read"))
            }
            _ => Ok(Codec::Plain),
        }
    }

    /// Whether the name says that the file is plain and so can be cut into ranges.
    pub(super) fn is_plain_name(path: &StoragePath) -> bool {
        matches!(Codec::of_name(path), Ok(Codec::Plain))
    }

    /// What the first bytes of a file say, where they say anything certain. zlib's two bytes are too few.
    pub fn of_magic(first_bytes: &[u8]) -> Option<Codec> {
        match first_bytes {
            [0x1f, 0x8b, 8, ..] => Some(Codec::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Codec::Zstd),
            // Level, then the first byte of a block's or of the end's magic number.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, ..] => Some(Codec::Bzip2),
            _ => None,
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Codec::Plain => "plain",
            Codec::Gzip => "gzip",
            Codec::Bzip2 => "bzip2",
            Codec::Zstd => "zstd",
            Codec::Deflate => "zlib",
        })
    }
}

/// Bytes that [`Codec::of_magic`] and [`looks_like`] want to see.
pub(super) const MAGIC_BYTES: usize = 16;

/// What a file is packed with, if its first bytes say so.
pub(super) fn archive_kind(first_bytes: &[u8]) -> Option<&'static str> {
    match (Codec::of_magic(first_bytes), first_bytes) {
        (Some(Codec::Gzip), _) => Some("gzip"),
        (Some(Codec::Zstd), _) => Some("zstd"),
        (Some(Codec::Bzip2), _) => Some("bzip2"),
        (_, [0xfd, b'7', b'z', b'X', b'Z', 0, ..]) => Some("xz"),
        (_, [b'P', b'K', 3, 4, ..]) => Some("zip"),
        _ => None,
    }
}

/// What the first bytes of a file look like, for a message.
pub(super) fn looks_like(first_bytes: &[u8]) -> &'static str {
    let is_text = |&byte: &u8| byte >= b' ' && byte != 0x7f || matches!(byte, b'\t' | b'\r' | b'\n');
    archive_kind(first_bytes).unwrap_or(if first_bytes.iter().all(is_text) { "plain text" } else { "binary data" })
}

/// From the last dot of the name on. Unlike `Path::extension`, `.gz` is one of the name `.gz`.
fn extension(path: &StoragePath) -> &[u8] {
    let name = path.file_name();
    memchr::memrchr(b'.', name).map_or(&[], |dot| &name[dot..])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn names() {
        let of = |name: &str| Codec::of_name(&StoragePath::parse(name, Path::new("/")).unwrap());
        for (name, expect) in [
            ("x.gz", Codec::Gzip),
            ("x.log.bz2", Codec::Bzip2),
            ("x.zst", Codec::Zstd),
            ("x.deflate", Codec::Deflate),
            ("x.GZ", Codec::Plain),
            ("x.gz.tmp", Codec::Plain),
            ("gz", Codec::Plain),
            ("a.gz/x", Codec::Plain),
            ("x.xz", Codec::Plain),
        ] {
            assert_eq!(of(name).unwrap(), expect, "{name}");
        }
        assert_eq!(of("x.lz4").unwrap_err().code(), codes::UNSUPPORTED);
    }

    #[test]
    fn first_bytes() {
        assert_eq!(looks_like(b"2014-07-05\t20:00"), "plain text");
        assert_eq!(looks_like("größe".as_bytes()), "plain text");
        assert_eq!(looks_like(b"BZhello"), "plain text");
        assert_eq!(looks_like(b"BZh91AY&SY"), "bzip2");
        assert_eq!(looks_like(b"PK\x03\x04"), "zip");
        assert_eq!(looks_like(b"\0\0"), "binary data");
    }
}
