//! Split → lines, in blocks.
//!
//! A line ends at LF, CR or CRLF, mixed as they come; the last one may end with the file. Empty lines are records. A
//! byte order mark at the start of a file is no part of the first line. A record belongs to the split that holds its
//! first byte, so a reader that starts inside a file looks at the byte before to see whether a record starts at its
//! first one, and reads past its end to finish its last record.
//!
//! Source: Hadoop's `LineRecordReader` and `LineReader`, except that a record that starts exactly on a boundary
//! belongs to the later split; over all splits of a file the records are the same.

use std::mem;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use memchr::memchr2;

use super::codec::{Codec, archive_kind};
use super::decoder::{Decoder, Fault};
use super::line_feeds::{after_terminator, find_lines};
use super::{InputSplit, ReadBuffers, ReadCounters, RecordBlock, RecordRange, RecordReader};
use crate::config::InputConfig;
use crate::error::{Error, Result, codes};
use crate::storage::{FileMeta, ReadAt};

/// Bytes read at a time past the end of the split, to finish its last record.
const OVERREAD_BYTES: usize = 4 << 10;

/// Bytes of a line, before the first has been read.
const LINE_BYTES_GUESS: usize = 128;

/// Buffers hold a byte order mark, or CRLF and a byte.
const BLOCK_BYTES_MIN: usize = 4;
/// So that offsets in a block are `u32`: a block is at most as large as both together and a few bytes.
const BLOCK_BYTES_MAX: usize = 1 << 30;
const RECORD_BYTES_MAX: usize = 1 << 31;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads one split.
pub(super) struct LineReader {
    meta: Arc<FileMeta>,
    file: Arc<dyn ReadAt>,
    source: Source,
    block_bytes: usize,
    record_bytes_max: usize,
    /// Records that start here or later belong to another split. `u64::MAX` for a compressed file.
    split_end: u64,
    /// Whether records are counted from the file's first one.
    from_start: bool,
    header_lines_left: u32,

    /// `buf[..filled]` is what was read and not handed out; `buf[0]` is at `buf_offset` in the text.
    buf: BytesMut,
    filled: usize,
    buf_offset: u64,
    /// In `buf`: where the next record starts.
    record_start: usize,
    /// In `buf`: no line ends in `record_start..scanned`.
    scanned: usize,
    /// The line at `record_start` is not to be handed out: another split's, or too long.
    skipping: bool,
    /// Why no more bytes come.
    ended: Option<End>,
    done: bool,
    /// What the next block is read into, or the next file.
    spare: ReadBuffers,
    /// Records of the block handed out last.
    n_records_before: usize,

    header_lines: u64,
    n_records: u64,
    n_too_long: u64,
    warnings: Vec<String>,
}

enum Source {
    Plain {
        /// Of the byte to read next.
        next_offset: u64,
        range: Range<u64>,
    },
    Compressed(Box<Decoder>),
}

enum End {
    File,
    Fault(Fault),
}

impl LineReader {
    /// `split.range` is `None` unless `codec` is `Plain`.
    pub(super) fn new(
        split: &InputSplit,
        file: Arc<dyn ReadAt>,
        codec: Codec,
        header_lines: u32,
        config: &InputConfig,
        mut buffers: ReadBuffers,
    ) -> Result<LineReader> {
        let len = file.len();
        let range = split.range.clone().unwrap_or(0..len);
        let block_bytes = config.block_bytes.clamp(BLOCK_BYTES_MIN, BLOCK_BYTES_MAX);
        // The line that ends before the split's first record starts is found by its end: read from the byte before.
        let read_from = range.start.saturating_sub(1);
        let (source, split_end, text_bytes) = if codec == Codec::Plain {
            let text_bytes = range.end.saturating_sub(read_from).saturating_add(OVERREAD_BYTES as u64);
            (Source::Plain { next_offset: read_from, range: range.clone() }, range.end.min(len), text_bytes.min(len))
        } else {
            let decoder = Decoder::new(codec, Arc::clone(&file), config.on_trailing_garbage, buffers.decoder.take())?;
            (Source::Compressed(Box::new(decoder)), u64::MAX, len.saturating_mul(16))
        };
        // One more than there is, so that a small file is read to its end at once.
        let first_block_bytes = text_bytes.saturating_add(1).clamp(BLOCK_BYTES_MIN as u64, block_bytes as u64) as usize;
        Ok(LineReader {
            meta: Arc::clone(&split.file),
            file,
            source,
            block_bytes,
            record_bytes_max: config.record_bytes_max.clamp(1, RECORD_BYTES_MAX),
            split_end,
            from_start: range.start == 0,
            header_lines_left: header_lines,
            buf: buffers.take_buffer(first_block_bytes),
            filled: 0,
            buf_offset: read_from,
            record_start: 0,
            scanned: 0,
            skipping: range.start > 0,
            ended: None,
            done: range.is_empty(),
            spare: buffers,
            n_records_before: 0,
            header_lines: 0,
            n_records: 0,
            n_too_long: 0,
            warnings: Vec::new(),
        })
    }

    /// What is read of a plain file for the records of `range`, unless the last of them is very long.
    pub(super) fn bytes_read(range: &Range<u64>, len: u64) -> Range<u64> {
        range.start.saturating_sub(1)..range.end.saturating_add(OVERREAD_BYTES as u64).min(len)
    }

    /// Reads until the buffer is full, the split's end is well passed, or nothing more comes.
    fn fill(&mut self) {
        let past_end = self.split_end.saturating_add(OVERREAD_BYTES as u64).saturating_sub(self.buf_offset);
        let past_end = usize::try_from(past_end).unwrap_or(usize::MAX);
        let wanted = past_end.max(self.filled.saturating_add(OVERREAD_BYTES)).min(self.buf.len());
        let first_fill = self.buf_offset == 0 && self.filled == 0 && self.ended.is_none();
        while self.ended.is_none() && self.filled < wanted {
            let free = &mut self.buf[self.filled..wanted];
            let read = match &mut self.source {
                Source::Compressed(decoder) => decoder.read(free),
                Source::Plain { next_offset, .. } => match self.file.read_at(*next_offset, free) {
                    Ok(n_read) => {
                        *next_offset += n_read as u64;
                        Ok(n_read)
                    }
                    Err(error) => Err(Fault::Storage(error)),
                },
            };
            match read {
                Ok(0) => self.ended = Some(End::File),
                Ok(n_read) => self.filled += n_read,
                Err(fault) => self.ended = Some(End::Fault(fault)),
            }
        }
        if first_fill && self.filled > 0 {
            self.look_at_start();
        }
    }

    /// Passes over a byte order mark, and warns if this is no text.
    fn look_at_start(&mut self) {
        let text = &self.buf[..self.filled];
        if text.starts_with(BYTE_ORDER_MARK) {
            self.record_start = BYTE_ORDER_MARK.len();
            self.scanned = self.record_start;
            // The first record starts with the mark, and so belongs to the split that holds the file's first byte.
            self.split_end = self.split_end.max(BYTE_ORDER_MARK.len() as u64 + 1);
            return;
        }
        let path = self.meta.path.display();
        match (archive_kind(text), &self.source) {
            (Some(found), Source::Plain { .. }) if self.from_start => {
                let readable = Codec::of_magic(text).is_some();
                let advice = if readable { "; with logq.sniff_compression=true its content decides" } else { "" };
                self.warnings
                    .push(format!("{path} looks like {found} and is read as plain text, as its name says{advice}"));
            }
            (Some(found), Source::Compressed(_)) => {
                self.warnings.push(format!("{path} holds {found} data within its compression; it is read as text"));
            }
            _ => {}
        }
    }

    /// Passes over the rest of the line at `scanned`, or what there is of it.
    fn skip_line(&mut self) -> Result<()> {
        let at_end = matches!(self.ended, Some(End::File));
        if let Some(next) = find_line_end(&self.buf[..self.filled], self.scanned, at_end) {
            self.record_start = next;
            self.scanned = next;
            self.skipping = false;
            return Ok(());
        }
        self.fail_if_faulty()?;
        let undecided = usize::from(self.buf[..self.filled].ends_with(b"\r"));
        self.discard(self.filled - undecided);
        self.done = at_end || self.buf_offset + undecided as u64 >= self.split_end;
        Ok(())
    }

    /// The records that end in the buffer, if there are any.
    fn take_block(&mut self) -> Result<Option<RecordBlock>> {
        let at_end = matches!(self.ended, Some(End::File));
        let text = &self.buf[..self.filled];
        let n_expected = if self.n_records == 0 { text.len() / LINE_BYTES_GUESS } else { self.n_records_before };
        let mut records = Vec::with_capacity(n_expected + n_expected / 16);
        let mut next = find_records(text, self.record_start, self.scanned, at_end, &mut records);
        self.scanned = self.filled - usize::from(!at_end && text.ends_with(b"\r"));

        let split_end = self.split_end.saturating_sub(self.buf_offset);
        let n_owned = records.partition_point(|record| u64::from(record.start) < split_end);
        if n_owned < records.len() {
            next = records[n_owned].start as usize;
            records.truncate(n_owned);
            self.done = true;
        } else {
            self.done = at_end || next as u64 >= split_end;
        }
        if records.is_empty() {
            if !self.done {
                self.fail_if_faulty()?;
                self.make_room();
            }
            return Ok(None);
        }

        if self.header_lines_left > 0 {
            let n_dropped = records.len().min(self.header_lines_left as usize);
            records.drain(..n_dropped);
            self.header_lines_left -= n_dropped as u32;
            self.header_lines += n_dropped as u64;
        }
        if self.filled > self.record_bytes_max {
            let n_before = records.len();
            records.retain(|record| (record.end - record.start) as usize <= self.record_bytes_max);
            self.n_too_long += (n_before - records.len()) as u64;
        }
        self.record_start = next;
        if records.is_empty() {
            self.discard(next);
            return Ok(None);
        }
        self.n_records += records.len() as u64;
        self.n_records_before = records.len();
        let byte_offset = self.buf_offset;
        let data = self.hand_out(next);
        Ok(Some(RecordBlock { data, records, byte_offset }))
    }

    /// For a record that ends behind the buffer: a larger buffer, or no such record.
    fn make_room(&mut self) {
        if self.scanned - self.record_start > self.record_bytes_max {
            if self.header_lines_left > 0 {
                self.header_lines_left -= 1;
                self.header_lines += 1;
            } else {
                self.n_too_long += 1;
            }
            self.skipping = true;
            self.discard(self.scanned);
            self.buf.truncate(self.block_bytes);
        } else if self.filled == self.buf.len() {
            // The longest record, its CR, and a byte that shows whether LF follows.
            let largest = self.record_start + self.record_bytes_max + 2;
            self.buf.resize(self.buf.len().saturating_mul(2).min(largest), 0);
        }
    }

    /// Drops the first bytes of the buffer.
    fn discard(&mut self, n_bytes: usize) {
        self.buf.copy_within(n_bytes..self.filled, 0);
        self.filled -= n_bytes;
        self.buf_offset += n_bytes as u64;
        self.record_start = self.record_start.saturating_sub(n_bytes);
        self.scanned = self.scanned.saturating_sub(n_bytes);
    }

    /// Hands out the first bytes of the buffer; the rest moves to the start of another one.
    fn hand_out(&mut self, n_bytes: usize) -> Bytes {
        let mut next = self.next_buffer(self.filled - n_bytes);
        next[..self.filled - n_bytes].copy_from_slice(&self.buf[n_bytes..self.filled]);
        let whole = mem::replace(&mut self.buf, next).freeze();
        let block = whole.slice(..n_bytes);
        self.spare.keep_buffer(whole, self.block_bytes);
        self.filled -= n_bytes;
        self.buf_offset += n_bytes as u64;
        self.record_start = 0;
        self.scanned = self.scanned.saturating_sub(n_bytes);
        block
    }

    /// A buffer for the next block, which starts with `n_bytes` that were read already.
    fn next_buffer(&mut self, n_bytes: usize) -> BytesMut {
        if self.done {
            return BytesMut::zeroed(n_bytes);
        }
        let to_read = match &self.source {
            Source::Plain { next_offset, range } => range.end.saturating_sub(*next_offset) + OVERREAD_BYTES as u64,
            Source::Compressed(_) => u64::MAX,
        };
        // A long start of a record must not make its block a short one.
        let carried = if n_bytes < self.block_bytes / 2 { 0 } else { n_bytes };
        let wanted = to_read.saturating_add(n_bytes as u64).min((self.block_bytes + carried) as u64) as usize;
        self.spare.take_buffer(wanted.max(n_bytes).max(BLOCK_BYTES_MIN))
    }

    /// Fails if the bytes end with a fault. What was readable before it has been handed out by now.
    fn fail_if_faulty(&mut self) -> Result<()> {
        let Some(End::Fault(_)) = self.ended else { return Ok(()) };
        let Some(End::Fault(fault)) = self.ended.replace(End::File) else { return Ok(()) };
        self.done = true;
        Err(self.locate(fault))
    }

    /// Fails if what was read so far is not what was listed.
    fn verify(&self) -> Result<()> {
        self.file.verify().map_err(|error| error.in_file(self.meta.path.display().to_string(), None, None))
    }

    /// Fails if the last line went on behind the length that was listed: it was half written then, or the file has other
    /// content by now, of which this length means nothing.
    fn verify_last_line(&self) -> Result<()> {
        let Source::Plain { range, .. } = &self.source else { return Ok(()) };
        let len = self.file.len();
        let in_file = |error: Error| error.in_file(self.meta.path.display().to_string(), None, None);
        if len == 0 || range.end < len || !self.file.has_grown().map_err(in_file)? {
            return Ok(());
        }
        let mut last = [0];
        self.file.read_at(len - 1, &mut last).map_err(in_file)?;
        if matches!(last, [b'\n' | b'\r']) {
            return Ok(());
        }
        let path = self.meta.path.display();
        let message = format!("{path} has grown since it was listed, and its last line was not whole then");
        let error = Error::new(codes::FILE_CHANGED, message);
        Err(in_file(error.with_hint("run it again, or leave out the log that is being written")))
    }

    /// Makes an error of a fault.
    fn locate(&self, fault: Fault) -> Error {
        let n_before = self.n_records + self.n_too_long + self.header_lines;
        let path = self.meta.path.display().to_string();
        let byte_offset = Some(self.buf_offset + self.filled as u64);
        let record = self.from_start.then_some(n_before + 1);
        let (code, message) = match fault {
            Fault::Storage(error) => return error.in_file(path, byte_offset, record),
            Fault::NotCompressed(message) => {
                return Error::new(codes::NOT_COMPRESSED, message)
                    .in_file(path, None, None)
                    .with_hint("`SET logq.sniff_compression=true` goes by what is in a file, not by its name");
            }
            Fault::Truncated(message) => (codes::TRUNCATED_FILE, message),
            Fault::Corrupt(message) => (codes::CORRUPT_FILE, message),
        };
        let readable = match n_before {
            1 => "1 record before it was readable".to_owned(),
            n => format!("{n} records before it were readable"),
        };
        Error::new(code, format!("{message}; {readable}")).in_file(path, byte_offset, record)
    }
}

impl RecordReader for LineReader {
    fn next_block(&mut self) -> Result<Option<RecordBlock>> {
        while !self.done {
            self.fill();
            if self.skipping {
                self.skip_line()?;
            }
            if !self.skipping
                && let Some(block) = self.take_block()?
            {
                // A LIMIT may stop the reading behind any block.
                self.verify()?;
                return Ok(Some(block));
            }
        }
        self.verify()?;
        self.verify_last_line()?;
        Ok(None)
    }

    fn counters(&self) -> ReadCounters {
        let (bytes_read, bytes_decoded) = match &self.source {
            Source::Plain { next_offset, range } => {
                let bytes_read = (*next_offset).clamp(range.start, range.end) - range.start;
                (bytes_read, bytes_read)
            }
            Source::Compressed(decoder) => (decoder.bytes_read(), self.buf_offset + self.filled as u64),
        };
        ReadCounters { bytes_read, bytes_decoded, records: self.n_records, records_too_long: self.n_too_long }
    }

    fn take_warnings(&mut self) -> Vec<String> {
        if let Source::Compressed(decoder) = &mut self.source
            && let Some(warning) = decoder.take_warning()
        {
            self.warnings.push(format!("{}: {warning}; they are ignored", self.meta.path.display()));
        }
        mem::take(&mut self.warnings)
    }

    fn into_buffers(self: Box<Self>) -> ReadBuffers {
        let LineReader { source, buf, block_bytes, mut spare, .. } = *self;
        if spare.is_empty() {
            spare.keep_buffer(buf.freeze(), block_bytes);
        }
        if let Source::Compressed(decoder) = source {
            spare.decoder = Some(decoder.into_spare());
        }
        spare
    }
}

/// Finds the lines that end in `text`; the first starts at `start`, and none ends before `scanned`. Returns where the
/// next line starts. A CR that `text` ends with is undecided, LF may follow, unless this is the end of the file.
fn find_records(text: &[u8], start: usize, scanned: usize, at_end: bool, records: &mut Vec<RecordRange>) -> usize {
    let start = find_lines(text, start, scanned, at_end, records);
    if at_end && start < text.len() {
        records.push(RecordRange { start: start as u32, end: text.len() as u32 });
        return text.len();
    }
    start
}

/// Where the line ends that goes on at `scanned`: the place after its terminator.
fn find_line_end(text: &[u8], scanned: usize, at_end: bool) -> Option<usize> {
    let n_after = memchr2(b'\n', b'\r', &text[scanned..])?;
    after_terminator(text, scanned + n_after, at_end)
}
