//! The content of a file that is made of others: put together, inflated, compressed.
//!
//! Only gzip is known. What else s3-dist-cp reads and writes (LZO, Snappy) is refused by its name before anything is
//! copied.

use std::collections::VecDeque;
use std::io::{self, Read};

use flate2::Compression;
use flate2::read::{GzEncoder, MultiGzDecoder};
use logq_engine::Files;
use logq_engine::error::{Error, codes};

/// How the content of copies is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// As it is: members of gzip may follow each other.
    Keep,
    /// Not at all.
    None,
    Gzip,
}

/// What a name says of the compression, as s3-dist-cp reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suffix {
    Gzip,
    /// One that logq cannot read here.
    Other(&'static str),
    Plain,
}

impl Suffix {
    pub fn of(name: &str) -> Suffix {
        let suffix = name.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, suffix)| suffix);
        match suffix.map(str::to_ascii_lowercase).as_deref() {
            Some("gz" | "gzip") => Suffix::Gzip,
            Some("lzo" | "lzop") => Suffix::Other("LZO"),
            Some("snappy") => Suffix::Other("Snappy"),
            _ => Suffix::Plain,
        }
    }
}

/// The content of these files as `codec` has it.
pub fn content<'a>(files: &'a Files, from: &'a [String], codec: Codec) -> Box<dyn Read + 'a> {
    let all_are_gzip = from.iter().all(|name| Suffix::of(name) == Suffix::Gzip);
    let inflates = codec == Codec::None || codec == Codec::Gzip && !all_are_gzip;
    let chain = Chain { files, names: from.iter().map(String::as_str).collect(), inflates, open: None };
    match codec {
        Codec::Gzip if !all_are_gzip => Box::new(GzEncoder::new(chain, Compression::default())),
        _ => Box::new(chain),
    }
}

/// Files one behind the other, each opened when it is its turn.
struct Chain<'a> {
    files: &'a Files,
    names: VecDeque<&'a str>,
    inflates: bool,
    open: Option<(&'a str, Box<dyn Read>)>,
}

impl Read for Chain<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some((name, reader)) = &mut self.open {
                match reader.read(buffer) {
                    Ok(0) if !buffer.is_empty() => self.open = None,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => return read.map_err(|error| damaged(name, error)),
                }
            } else {
                let Some(name) = self.names.pop_front() else { return Ok(0) };
                let reader = self.files.reader(name).map_err(io::Error::other)?;
                let reader: Box<dyn Read> = match self.inflates && Suffix::of(name) == Suffix::Gzip {
                    true => Box::new(MultiGzDecoder::new(reader)),
                    false => Box::new(reader),
                };
                self.open = Some((name, reader));
            }
        }
    }
}

/// An error of the decoder becomes one that names the file; others are told already.
fn damaged(name: &str, error: io::Error) -> io::Error {
    match error.downcast::<Error>() {
        Ok(own) => io::Error::other(own),
        Err(cause) => io::Error::other(
            Error::new(codes::CORRUPT_FILE, format!("{name} is not whole gzip data")).with_source(cause),
        ),
    }
}
