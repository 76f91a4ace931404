//! Compressed bytes in, text out, with every check that the format offers.
//!
//! A compressed file is a row of members (gzip), streams (bzip2, zlib) or frames (zstd), and the text is theirs in
//! order. Every checksum and length is checked. A file that ends inside a member is truncated, also if only the
//! trailer is cut; what follows the last member and does not start another is trailing garbage, zero padding
//! included. A file of 0 bytes has no members and no text.
//!
//! Source: Hadoop's `GzipCodec` and its kin as measured (`Unexpected end of input stream`, `gzip stream CRC failure`,
//! `not a gzip file`); RFC 1950, RFC 1952. The framing of gzip is done here, for flate2's own readers take a cut
//! zlib stream for its end, and do not say what they found behind a member.

use std::sync::Arc;

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::Operation;

use super::codec::{Codec, MAGIC_BYTES, looks_like};
use crate::config::OnTrailingGarbage;
use crate::error::{Error, Result};
use crate::storage::ReadAt;

/// Compressed bytes that are read at a time.
const CHUNK_BYTES: u64 = 128 << 10;

/// Bytes of text that are made at a time, so that the checksum finds them in the cache. A guess.
const STEP_BYTES: usize = 256 << 10;

/// Why a decoder cannot go on. Whoever knows file, offset and record makes an error of it.
#[derive(Debug)]
pub(super) enum Fault {
    /// The bytes end inside a member.
    Truncated(String),
    Corrupt(String),
    /// The first bytes are not those of the codec.
    NotCompressed(String),
    Storage(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Storage(error)
    }
}

/// Decodes one file.
pub(super) struct Decoder {
    codec: Codec,
    input: CompressedInput,
    engine: Engine,
    state: State,
    on_trailing_garbage: OnTrailingGarbage,
    /// Of trailing garbage that was let pass.
    warning: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte.
    Start,
    Inside,
    /// After a member's data: its checksum and length follow, in gzip.
    Trailer,
    /// After a member; the next one, garbage, or the end of the file follows.
    Between,
    End,
}

enum Engine {
    Gzip { inflate: Decompress, crc: crc32fast::Hasher, n_bytes: u32 },
    Zlib(Decompress),
    Bzip2(bzip2::Decompress),
    Zstd(zstd::stream::raw::Decoder<'static>),
}

/// What a decoder leaves to the next one: tables, a window, and room for compressed bytes.
pub(super) struct SpareDecoder {
    codec: Codec,
    engine: Engine,
    chunk: Vec<u8>,
}

/// What one call of an engine did.
struct Step {
    consumed: usize,
    produced: usize,
    ended: bool,
}

impl Decoder {
    /// `codec` is not `Plain`.
    pub(super) fn new(
        codec: Codec,
        file: Arc<dyn ReadAt>,
        on_trailing_garbage: OnTrailingGarbage,
        spare: Option<SpareDecoder>,
    ) -> Result<Decoder> {
        let (engine, chunk) = match spare {
            // It is reset at the start of each member.
            Some(spare) if spare.codec == codec => (spare.engine, spare.chunk),
            _ => (Engine::new(codec)?, Vec::new()),
        };
        let input = CompressedInput::new(file, chunk);
        Ok(Decoder { codec, input, engine, state: State::Start, on_trailing_garbage, warning: None })
    }

    /// Puts text at the start of `out`, which is not empty, and says how much; 0 at the end.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        loop {
            match self.state {
                State::End => return Ok(0),
                State::Start | State::Between => self.start_member()?,
                State::Trailer => {
                    if let Engine::Gzip { crc, n_bytes, .. } = &self.engine {
                        check_gzip_trailer(&mut self.input, crc.clone().finalize(), *n_bytes)?;
                    }
                    self.state = State::Between;
                }
                State::Inside => {
                    let produced = self.decode(out)?;
                    if produced > 0 {
                        return Ok(produced);
                    }
                }
            }
        }
    }

    /// Compressed bytes used so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.input.position()
    }

    pub(super) fn take_warning(&mut self) -> Option<String> {
        self.warning.take()
    }

    /// For the next file.
    pub(super) fn into_spare(self) -> SpareDecoder {
        SpareDecoder { codec: self.codec, engine: self.engine, chunk: self.input.chunk }
    }

    fn start_member(&mut self) -> Result<(), Fault> {
        let codec = self.codec;
        let first_bytes = self.input.peek(MAGIC_BYTES)?;
        if first_bytes.is_empty() {
            self.state = State::End;
            return Ok(());
        }
        match starts_member(codec, first_bytes) {
            Some(true) => {
                self.engine.reset(codec)?;
                if codec == Codec::Gzip {
                    read_gzip_header(&mut self.input)?;
                }
                self.state = State::Inside;
            }
            None => return Err(Fault::Truncated(format!("the {codec} data ends in its header"))),
            Some(false) if self.state == State::Start => {
                let found = looks_like(first_bytes);
                return Err(Fault::NotCompressed(format!(
                    "the file is not {codec}, as its name says; it looks like {found}"
                )));
            }
            Some(false) => {
                let n_bytes = self.input.len() - self.input.position();
                let what = if self.input.rest_is_zero()? { "zero padding".to_owned() } else { format!("not {codec}") };
                let bytes = if n_bytes == 1 { "byte" } else { "bytes" };
                let message = format!("{n_bytes} {bytes} after the end of the {codec} data ({what})");
                match self.on_trailing_garbage {
                    OnTrailingGarbage::Fail => return Err(Fault::Corrupt(message)),
                    OnTrailingGarbage::Warn => self.warning = Some(message),
                }
                self.state = State::End;
            }
        }
        Ok(())
    }

    fn decode(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        let codec = self.codec;
        let chunk = self.input.fill()?;
        let chunk_bytes = chunk.len();
        let n_out = out.len().min(STEP_BYTES);
        let out = &mut out[..n_out];
        let step = self
            .engine
            .run(chunk, out)
            .map_err(|cause| Fault::Corrupt(format!("the {codec} data is corrupt: {cause}")))?;
        self.input.consume(step.consumed);
        if let Engine::Gzip { crc, n_bytes, .. } = &mut self.engine {
            crc.update(&out[..step.produced]);
            *n_bytes = n_bytes.wrapping_add(step.produced as u32);
        }
        if step.ended {
            // The text comes out first, whatever the trailer says.
            self.state = State::Trailer;
        } else if step.produced == 0 && step.consumed == 0 {
            // Nothing more comes: the engine has no byte to go on with, or, which no engine does, none that it likes.
            return Err(if chunk_bytes == 0 {
                Fault::Truncated(format!("the {codec} data ends before its end mark"))
            } else {
                Fault::Corrupt(format!("the {codec} data is corrupt: decoding does not go on"))
            });
        }
        Ok(step.produced)
    }
}

impl Engine {
    fn new(codec: Codec) -> Result<Engine> {
        Ok(match codec {
            Codec::Plain => return Err(Error::internal("a plain file is not decoded")),
            Codec::Gzip => Engine::Gzip { inflate: Decompress::new(false), crc: crc32fast::Hasher::new(), n_bytes: 0 },
            Codec::Deflate => Engine::Zlib(Decompress::new(true)),
            Codec::Bzip2 => Engine::Bzip2(bzip2::Decompress::new(false)),
            Codec::Zstd => Engine::Zstd(
                zstd::stream::raw::Decoder::new()
                    .map_err(|cause| Error::internal("zstd cannot be started").with_source(cause))?,
            ),
        })
    }

    /// Makes ready for another member.
    fn reset(&mut self, codec: Codec) -> Result<()> {
        match self {
            Engine::Gzip { inflate, crc, n_bytes } => {
                inflate.reset(false);
                crc.reset();
                *n_bytes = 0;
            }
            Engine::Zlib(inflate) => inflate.reset(true),
            Engine::Bzip2(_) | Engine::Zstd(_) => *self = Engine::new(codec)?,
        }
        Ok(())
    }

    fn run(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, String> {
        match self {
            Engine::Gzip { inflate, .. } | Engine::Zlib(inflate) => {
                let (total_in, total_out) = (inflate.total_in(), inflate.total_out());
                let status =
                    inflate.decompress(input, out, FlushDecompress::None).map_err(|cause| cause.to_string())?;
                Ok(Step {
                    consumed: (inflate.total_in() - total_in) as usize,
                    produced: (inflate.total_out() - total_out) as usize,
                    ended: status == Status::StreamEnd,
                })
            }
            Engine::Bzip2(bunzip) => {
                let (total_in, total_out) = (bunzip.total_in(), bunzip.total_out());
                let status = bunzip.decompress(input, out).map_err(|cause| cause.to_string())?;
                Ok(Step {
                    consumed: (bunzip.total_in() - total_in) as usize,
                    produced: (bunzip.total_out() - total_out) as usize,
                    ended: status == bzip2::Status::StreamEnd,
                })
            }
            Engine::Zstd(unzstd) => {
                let status = unzstd.run_on_buffers(input, out).map_err(|cause| cause.to_string())?;
                Ok(Step { consumed: status.bytes_read, produced: status.bytes_written, ended: status.remaining == 0 })
            }
        }
    }
}

/// Whether these bytes, which are the file's rest or a good deal of it, start a member; `None` if they are too few to
/// say and could.
fn starts_member(codec: Codec, bytes: &[u8]) -> Option<bool> {
    let magic: &[u8] = match codec {
        Codec::Plain => &[],
        Codec::Gzip => &[0x1f, 0x8b],
        Codec::Bzip2 => b"BZh",
        Codec::Zstd if bytes[0] & 0xf0 == 0x50 => &[bytes[0], 0x2a, 0x4d, 0x18],
        Codec::Zstd => &[0x28, 0xb5, 0x2f, 0xfd],
        Codec::Deflate => {
            // Method 8, and a multiple of 31.
            return match bytes {
                [method, flags, ..] => Some(method & 0xf == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0),
                _ => (bytes[0] & 0xf != 8).then_some(false),
            };
        }
    };
    let n_known = bytes.len().min(magic.len());
    if bytes[..n_known] != magic[..n_known] { Some(false) } else { (n_known == magic.len()).then_some(true) }
}

/// Reads a member's header and checks what can be checked.
fn read_gzip_header(input: &mut CompressedInput) -> Result<(), Fault> {
    const CHECKSUM: u8 = 1 << 1;
    const EXTRA: u8 = 1 << 2;
    const NAME: u8 = 1 << 3;
    const COMMENT: u8 = 1 << 4;
    const RESERVED: u8 = 0xe0;

    let mut crc = crc32fast::Hasher::new();
    let mut next = |input: &mut CompressedInput| -> Result<u8, Fault> {
        let byte = gzip_byte(input, "header")?;
        crc.update(&[byte]);
        Ok(byte)
    };
    let mut fixed = [0; 10];
    for byte in &mut fixed {
        *byte = next(input)?;
    }
    let [_, _, method, flags, ..] = fixed;
    if method != 8 {
        return Err(Fault::Corrupt(format!("the gzip data is corrupt: compression method {method}, which is none")));
    }
    if flags & RESERVED != 0 {
        return Err(Fault::Corrupt(format!(
            "the gzip data is corrupt: flags {flags:#04x}, some of which mean nothing"
        )));
    }
    if flags & EXTRA != 0 {
        let extra_bytes = u16::from_le_bytes([next(input)?, next(input)?]);
        for _ in 0..extra_bytes {
            next(input)?;
        }
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            while next(input)? != 0 {}
        }
    }
    if flags & CHECKSUM != 0 {
        let computed = crc.finalize() as u16;
        let stored = u16::from_le_bytes([gzip_byte(input, "header")?, gzip_byte(input, "header")?]);
        if computed != stored {
            return Err(Fault::Corrupt("the gzip data is corrupt: the checksum of its header is wrong".to_owned()));
        }
    }
    Ok(())
}

/// Reads a member's trailer, `[crc32: u32 LE][length modulo 2³²: u32 LE]`, and compares.
fn check_gzip_trailer(input: &mut CompressedInput, crc: u32, n_bytes: u32) -> Result<(), Fault> {
    let mut next_u32 = || -> Result<u32, Fault> {
        let mut bytes = [0; 4];
        for byte in &mut bytes {
            *byte = gzip_byte(input, "trailer")?;
        }
        Ok(u32::from_le_bytes(bytes))
    };
    if next_u32()? != crc {
        return Err(Fault::Corrupt("the gzip data is corrupt: its checksum (CRC-32) is wrong".to_owned()));
    }
    if next_u32()? != n_bytes {
        return Err(Fault::Corrupt("the gzip data is corrupt: its length (ISIZE) is wrong".to_owned()));
    }
    Ok(())
}

fn gzip_byte(input: &mut CompressedInput, part: &str) -> Result<u8, Fault> {
    let byte = input.fill()?.first().copied();
    input.consume(usize::from(byte.is_some()));
    byte.ok_or_else(|| Fault::Truncated(format!("the gzip data ends in its {part}")))
}

/// The file's bytes in order, by positional reads.
struct CompressedInput {
    file: Arc<dyn ReadAt>,
    chunk: Vec<u8>,
    /// `chunk[start..end]` is not yet used.
    start: usize,
    end: usize,
    /// Of the byte after `chunk[..end]`, in the file.
    next_offset: u64,
}

impl CompressedInput {
    fn new(file: Arc<dyn ReadAt>, mut chunk: Vec<u8>) -> CompressedInput {
        let chunk_bytes = file.len().clamp(MAGIC_BYTES as u64, CHUNK_BYTES) as usize;
        if chunk.len() < chunk_bytes {
            chunk.resize(chunk_bytes, 0);
        }
        CompressedInput { file, chunk, start: 0, end: 0, next_offset: 0 }
    }

    fn len(&self) -> u64 {
        self.file.len()
    }

    fn position(&self) -> u64 {
        self.next_offset - (self.end - self.start) as u64
    }

    /// Some bytes; none only at the end of the file.
    fn fill(&mut self) -> Result<&[u8]> {
        self.peek(1)?;
        Ok(&self.chunk[self.start..self.end])
    }

    /// At least so many bytes, unless the file ends before.
    fn peek(&mut self, n_bytes: usize) -> Result<&[u8]> {
        if self.end - self.start < n_bytes && self.next_offset < self.file.len() {
            self.chunk.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            let n_read = self.file.read_at(self.next_offset, &mut self.chunk[self.end..])?;
            self.end += n_read;
            self.next_offset += n_read as u64;
        }
        Ok(&self.chunk[self.start..self.end])
    }

    fn consume(&mut self, n_bytes: usize) {
        self.start += n_bytes;
    }

    /// Whether only zeros are left. Uses up the file.
    fn rest_is_zero(&mut self) -> Result<bool> {
        loop {
            let chunk = self.fill()?;
            if chunk.is_empty() {
                return Ok(true);
            }
            if chunk.iter().any(|&byte| byte != 0) {
                return Ok(false);
            }
            let n_bytes = chunk.len();
            self.consume(n_bytes);
        }
    }
}
