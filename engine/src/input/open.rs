//! From a split to the reader that suits it.

use std::sync::Arc;

use super::codec::{Codec, MAGIC_BYTES};
use super::footer::FooterReader;
use super::line_reader::LineReader;
use super::{InputSplit, ReadBuffers, RecordReader};
use crate::config::InputConfig;
use crate::error::{Error, Result, codes};
use crate::storage::{ReadAhead, Storage};

/// `hive.file.max.footer`: as many records are held back at most.
pub const FOOTER_LINES_MAX: u32 = 100;

/// Lines of each file that are no records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineOptions {
    /// `skip.header.line.count`: lines to drop at the start. Default 0.
    pub header_lines: u32,
    /// `skip.footer.line.count`: lines to drop at the end, at most [`FOOTER_LINES_MAX`]. Default 0.
    pub footer_lines: u32,
}

/// What a task that reads `splits` one after the other will read of their files.
pub fn read_ahead(splits: &[InputSplit], storage: &Storage) -> ReadAhead {
    let range = |split: &InputSplit| match &split.range {
        Some(range) => LineReader::bytes_read(range, split.file.len),
        None => 0..split.file.len,
    };
    storage.read_ahead(splits.iter().map(|split| (Arc::clone(&split.file), range(split))).collect())
}

/// Opens a split for reading. The split comes from [`plan_splits`](super::plan_splits) with the same options and is
/// the next one of those that `files` announced; `buffers` from the task's reader before, if there was one.
///
/// Errors: those of [`ReadAhead::open`]; `BAD_SETTING` for too large a footer; `UNSUPPORTED` for a compression that is
/// not read. That a file is not what its name says shows when the first block is read.
pub fn open_split(
    split: &InputSplit,
    files: &ReadAhead,
    options: &LineOptions,
    config: &InputConfig,
    buffers: ReadBuffers,
) -> Result<Box<dyn RecordReader>> {
    let LineOptions { header_lines, footer_lines } = *options;
    if footer_lines > FOOTER_LINES_MAX {
        let message =
            format!("a footer of {footer_lines} lines is more than {FOOTER_LINES_MAX}, the most there can be");
        return Err(Error::new(codes::BAD_SETTING, message));
    }
    if split.range.is_some() && (header_lines > 0 || footer_lines > 0) {
        return Err(Error::internal("a file whose first or last lines are dropped was cut"));
    }
    let in_file = |error: Error, offset| error.in_file(split.file.path.display().to_string(), offset, None);
    let mut codec = Codec::of_name(&split.file.path);
    let file = files.open(&split.file).map_err(|error| in_file(error, None))?;
    let mut split = split.clone();
    if config.sniff_compression {
        let mut first_bytes = [0; MAGIC_BYTES];
        let n_read = file.read_at(0, &mut first_bytes).map_err(|error| in_file(error, Some(0)))?;
        codec = match (Codec::of_magic(&first_bytes[..n_read]), codec) {
            (Some(found), _) => Ok(found),
            // zlib has no magic to miss.
            (None, Ok(Codec::Deflate)) => Ok(Codec::Deflate),
            (None, _) => Ok(Codec::Plain),
        };
        // A plain name, and so ranges; but only the whole can be decoded. The first range reads it.
        if let (Some(range), false) = (&split.range, matches!(codec, Ok(Codec::Plain))) {
            if range.start == 0 {
                split.range = None;
            } else {
                (split.range, codec) = (Some(range.start..range.start), Ok(Codec::Plain));
            }
        }
    }
    let lines = LineReader::new(&split, file, codec?, header_lines, config, buffers)?;
    if footer_lines == 0 { Ok(Box::new(lines)) } else { Ok(Box::new(FooterReader::new(lines, footer_lines))) }
}
