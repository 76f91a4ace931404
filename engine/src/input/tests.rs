//! Every path through the reader gives the same records: whole files, every cut, blocks of every size.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::Compression;
use proptest::prelude::*;

use super::line_reader::LineReader;
use super::*;
use crate::config::{EngineConfig, InputConfig, OnTrailingGarbage};
use crate::error::{Code, Error, Location, Result, codes};
use crate::storage::{FileMeta, ReadAhead, ReadAt, Storage, StoragePath};

const BLOCK_BYTES: [usize; 7] = [1, 2, 3, 5, 7, 16, 1 << 20];

/// A file in a folder of its own.
struct TestFile {
    _dir: tempfile::TempDir,
    path: PathBuf,
    meta: Arc<FileMeta>,
}

fn file(name: &str, content: &[u8]) -> TestFile {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, content).unwrap();
    let mut listing = storage().list(&StoragePath::from_local(&path).unwrap()).unwrap();
    TestFile { _dir: dir, path, meta: Arc::new(listing.files.remove(0)) }
}

fn storage() -> Storage {
    Storage::new(&EngineConfig::default())
}

/// Opens files that nobody announced.
fn unannounced() -> ReadAhead {
    storage().read_ahead(Vec::new())
}

fn blocks_of(block_bytes: usize) -> InputConfig {
    InputConfig { block_bytes, ..InputConfig::default() }
}

fn lines(header_lines: u32, footer_lines: u32) -> LineOptions {
    LineOptions { header_lines, footer_lines }
}

fn open(file: &TestFile, range: Option<Range<u64>>, lines: LineOptions, config: &InputConfig) -> Box<dyn RecordReader> {
    let split = InputSplit { file: Arc::clone(&file.meta), range };
    open_split(&split, &unannounced(), &lines, config, ReadBuffers::default()).unwrap()
}

/// What a reader gave before it ended, and how it ended.
struct Outcome {
    records: Vec<Vec<u8>>,
    offsets: Vec<u64>,
    end: Result<()>,
    counters: ReadCounters,
    warnings: Vec<String>,
}

fn run(mut reader: Box<dyn RecordReader>) -> Outcome {
    let (mut records, mut offsets) = (Vec::new(), Vec::new());
    let n_before = reader.counters().records;
    let end = loop {
        match reader.next_block() {
            Ok(Some(block)) => {
                assert!(!block.records.is_empty(), "a block is never empty");
                for row in block.rows() {
                    records.push(block.record(row).to_vec());
                    offsets.push(block.record_offset(row));
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let counters = reader.counters();
    if end.is_ok() {
        assert_eq!(counters.records - n_before, records.len() as u64);
    }
    Outcome { records, offsets, end, counters, warnings: reader.take_warnings() }
}

fn read(file: &TestFile, range: Option<Range<u64>>, config: &InputConfig) -> Outcome {
    let outcome = run(open(file, range, LineOptions::default(), config));
    outcome.end.as_ref().unwrap();
    outcome
}

fn read_error(file: &TestFile, config: &InputConfig) -> (Error, Outcome) {
    let mut outcome = run(open(file, None, LineOptions::default(), config));
    let error = std::mem::replace(&mut outcome.end, Ok(())).unwrap_err();
    match error.location() {
        Some(Location::Data { path, .. }) => assert_eq!(*path, file.path.display().to_string()),
        other => panic!("no place: {other:?}"),
    }
    (error, outcome)
}

/// The lines of `text` and where they start, found a byte at a time.
fn naive(text: &[u8]) -> (Vec<Vec<u8>>, Vec<u64>) {
    let mut at = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let (mut records, mut offsets) = (Vec::new(), Vec::new());
    while at < text.len() {
        let start = at;
        while at < text.len() && text[at] != b'\n' && text[at] != b'\r' {
            at += 1;
        }
        records.push(text[start..at].to_vec());
        offsets.push(start as u64);
        at += if text[at..].starts_with(b"\r\n") { 2 } else { 1 };
    }
    (records, offsets)
}

/// Reads `text` whole, cut in two at every byte, and cut into pieces of every size, with blocks of several sizes.
#[track_caller]
fn check(text: &[u8]) {
    let (records, offsets) = naive(text);
    let file = file("x.log", text);
    let len = text.len() as u64;
    for block_bytes in BLOCK_BYTES {
        let config = blocks_of(block_bytes);
        let whole = read(&file, None, &config);
        assert_eq!(whole.records, records, "whole, blocks of {block_bytes}");
        assert_eq!(whole.offsets, offsets, "whole, blocks of {block_bytes}");
        assert_eq!((whole.counters.bytes_read, whole.counters.bytes_decoded), (len, len));
        for piece_bytes in 1..=len {
            let starts = (0..len).step_by(piece_bytes as usize);
            let pieces: Vec<_> = starts.map(|start| start..(start + piece_bytes).min(len)).collect();
            let cut_in_two = vec![0..piece_bytes, piece_bytes..len];
            for ranges in [pieces, cut_in_two] {
                let parts: Vec<_> = ranges.iter().map(|range| read(&file, Some(range.clone()), &config)).collect();
                for (range, part) in ranges.iter().zip(&parts) {
                    assert_eq!(part.counters.bytes_read, range.end - range.start, "{range:?}");
                }
                let context = format!("{ranges:?}, blocks of {block_bytes}");
                assert_eq!(
                    parts.iter().flat_map(|part| part.records.clone()).collect::<Vec<_>>(),
                    records,
                    "{context}"
                );
                assert_eq!(
                    parts.iter().flat_map(|part| part.offsets.clone()).collect::<Vec<_>>(),
                    offsets,
                    "{context}"
                );
            }
        }
    }
}

#[test]
fn line_ends_of_every_kind() {
    check(b"");
    check(b"a");
    check(b"\n");
    check(b"\r");
    check(b"\r\n");
    check(b"\n\r");
    check(b"\r\r\n\n");
    check(b"a\nb\n");
    check(b"a\r\nbc\r\n\r\nd");
    check(b"a\rb\r\rc\r");
    check(b"a\nb\rc\r\nd\n\re");
    check(b"one line without an end");
    check(b"61\xff\xfe62\0\n\0\0\r\n");
}

#[test]
fn a_byte_order_mark_counts_only_at_the_start() {
    check(b"\xef\xbb\xbf");
    check(b"\xef\xbb\xbf\n");
    check(b"\xef\xbb\xbf\r\n\xef\xbb\xbfa");
    check(b"\xef\xbb\xbfa\nb");
    check(b"\xef\xbb\n");
    check(b"\xef\xbb");
    check(b"a\xef\xbb\xbf\n");
    let gz = file("x.gz", &gzip(b"\xef\xbb\xbfa\nb\n"));
    assert_eq!(read(&gz, None, &blocks_of(1)).records, [b"a", b"b"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_mix_of_line_ends(
        pieces in prop::collection::vec(prop::sample::select(vec!["\r", "\n", "\r\n", "a", "bc", "\u{feff}"]), 0..14)
    ) {
        check(pieces.concat().as_bytes());
    }

    #[test]
    fn members_are_one_text(
        members in prop::collection::vec(prop::collection::vec(prop::sample::select(b"ab\r\n".to_vec()), 0..40), 1..50),
        codec in prop::sample::select(vec![Codec::Gzip, Codec::Bzip2, Codec::Zstd, Codec::Deflate]),
        block_bytes in prop::sample::select(BLOCK_BYTES.to_vec()),
    ) {
        let packed: Vec<u8> = members.iter().flat_map(|member| pack(codec, member)).collect();
        let file = file(name_of(codec), &packed);
        let outcome = read(&file, None, &blocks_of(block_bytes));
        let text = members.concat();
        prop_assert_eq!(&outcome.records, &naive(&text).0);
        prop_assert_eq!(outcome.counters.bytes_read, packed.len() as u64);
        prop_assert_eq!(outcome.counters.bytes_decoded, text.len() as u64);
    }

    #[test]
    fn damage_is_found_or_does_no_harm(
        codec in prop::sample::select(PACKED.to_vec()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3), 1..4),
    ) {
        let text = log(60);
        let mut packed = [pack(codec, &text), pack(codec, b"last\n")].concat();
        for (at, byte, kind) in damage {
            let at = at.index(packed.len());
            match kind {
                0 => packed[at] = byte,
                1 => packed.insert(at, byte),
                _ => drop(packed.remove(at)),
            }
        }
        let outcome = run(open(&file(name_of(codec), &packed), None, LineOptions::default(), &blocks_of(512)));
        if outcome.end.is_ok() {
            prop_assert_eq!(outcome.records, naive(&[&text[..], b"last\n"].concat()).0);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        name in prop::sample::select(vec!["x", "x.gz", "x.bz2", "x.zst", "x.deflate"]),
        start in prop::sample::select(vec!["", "\x1f", "BZh9", "\x28", "\x78"]),
        rest in prop::collection::vec(any::<u8>(), 0..60),
        sniff_compression in any::<bool>(),
    ) {
        let content = [start.as_bytes(), &rest].concat();
        let config = InputConfig { sniff_compression, ..blocks_of(8) };
        run(open(&file(name, &content), None, LineOptions::default(), &config));
    }
}

/// Lines of several lengths, with CRLF here and there.
fn log(n_lines: usize) -> Vec<u8> {
    let line =
        |i: usize| format!("{i}\t{}{}", "x".repeat(i * 7 % 120), if i.is_multiple_of(5) { "\r\n" } else { "\n" });
    (0..n_lines).map(line).collect::<String>().into_bytes()
}

#[test]
fn large_blocks_and_larger_files() {
    for text in [log(20_000), log(20_000).into_iter().filter(|&byte| byte != b'\r').collect()] {
        let (records, _) = naive(&text);
        let file = file("x.log", &text);
        for block_bytes in [4 << 10, 64 << 10, 1 << 20] {
            let config = blocks_of(block_bytes);
            assert_eq!(read(&file, None, &config).records, records);
            let len = text.len() as u64;
            let cut: Vec<_> = (0..len).step_by(99_991).map(|start| start..(start + 99_991).min(len)).collect();
            let parts: Vec<_> = cut.into_iter().flat_map(|range| read(&file, Some(range), &config).records).collect();
            assert_eq!(parts, records);
        }
        let gz = self::file("x.gz", &gzip(&text));
        assert_eq!(read(&gz, None, &blocks_of(64 << 10)).records, records);
    }
}

#[test]
fn memory_is_used_again_only_when_nobody_holds_it() {
    let text = log(5_000);
    let (records, _) = naive(&text);
    let file = file("x.log", &text);
    let config = blocks_of(8 << 10);

    let mut reader = open(&file, None, LineOptions::default(), &config);
    let held: Vec<RecordBlock> = std::iter::from_fn(|| reader.next_block().unwrap()).collect();
    let seen: Vec<Vec<u8>> = held.iter().flat_map(|block| block.rows().map(|row| block.record(row).to_vec())).collect();
    assert_eq!(seen, records);

    let mut reader = open(&file, None, LineOptions::default(), &config);
    let mut places = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        places.push(block.data.as_ptr());
    }
    assert!(places.len() > 10);
    places.truncate(places.len() - 2);
    places.sort_unstable();
    places.dedup();
    assert!(places.len() <= 4, "{} buffers", places.len());
}

#[test]
fn groups_together_are_the_table() {
    let dir = tempfile::tempdir().unwrap();
    let mut text = Vec::new();
    for i in 0..100 {
        let part = log(i);
        text.extend_from_slice(&part);
        let (name, content) = if i % 2 == 0 { ("log", part) } else { ("gz", gzip(&part)) };
        fs::write(dir.path().join(format!("{i:03}.{name}")), content).unwrap();
    }
    let listing = storage().list(&StoragePath::from_local(dir.path()).unwrap()).unwrap();
    let files: Vec<Arc<FileMeta>> = listing.files.into_iter().map(Arc::new).collect();
    for split_bytes in [None, Some(1 << 20), Some(20_000), Some(1_000)] {
        let config = InputConfig { split_bytes, ..InputConfig::default() };
        let groups = plan_splits(&files, &SplitOptions { header_lines: 0, footer_lines: 0, config: &config });
        assert!(groups.len() <= 2 || split_bytes.is_some_and(|bytes| bytes < 1 << 20), "{} groups", groups.len());
        for holds_blocks in [false, true] {
            assert_eq!(read_one_after_the_other(groups.iter().flatten(), &config, holds_blocks), naive(&text).0);
        }
    }
}

/// The records of splits that leave their memory to each other, also if somebody still holds some of the blocks.
fn read_one_after_the_other<'a>(
    splits: impl Iterator<Item = &'a InputSplit>,
    config: &InputConfig,
    holds_blocks: bool,
) -> Vec<Vec<u8>> {
    let (mut blocks, mut records) = (Vec::new(), Vec::new());
    let records_of = |block: &RecordBlock| block.rows().map(|row| block.record(row).to_vec()).collect::<Vec<_>>();
    let (files, mut buffers) = (unannounced(), ReadBuffers::default());
    for split in splits {
        let mut reader = open_split(split, &files, &LineOptions::default(), config, buffers).unwrap();
        while let Some(block) = reader.next_block().unwrap() {
            records.extend(records_of(&block));
            blocks.extend(holds_blocks.then_some(block));
        }
        buffers = reader.into_buffers();
    }
    if holds_blocks {
        assert_eq!(blocks.iter().flat_map(records_of).collect::<Vec<_>>(), records, "held and written over");
    }
    records
}

/// How many tasks ran before, and on which thread, must not show.
#[test]
fn blocks_end_at_the_same_records_whatever_memory_is_left() {
    let text = "the same line over and over\n".repeat(40_000).into_bytes();
    let (large, small) = (file("large.log", &text.repeat(5)), file("small.gz", &gzip(&text)));
    let config = InputConfig::default();
    let split = |file: &TestFile| InputSplit { file: Arc::clone(&file.meta), range: None };
    let rows_of_blocks = |buffers: ReadBuffers, split: &InputSplit| {
        let mut reader = open_split(split, &unannounced(), &LineOptions::default(), &config, buffers).unwrap();
        let mut rows = Vec::new();
        while let Some(block) = reader.next_block().unwrap() {
            rows.push(block.records.len());
        }
        (rows, reader.into_buffers())
    };
    let (alone, _) = rows_of_blocks(ReadBuffers::default(), &split(&small));
    assert!(alone.len() > 1, "{alone:?}");
    let (_, buffers) = rows_of_blocks(ReadBuffers::default(), &split(&large));
    assert_eq!(rows_of_blocks(buffers, &split(&small)).0, alone);
}

// Headers, footers, long records.

#[test]
fn header_and_footer_lines_are_dropped() {
    let text = b"h1\r\nh2\na\n\nb\r\nf1\nf2";
    let packed = gzip(text);
    let (records, offsets) = naive(text);
    for (name, content) in [("x.log", &text[..]), ("x.gz", &packed[..])] {
        let file = file(name, content);
        for block_bytes in BLOCK_BYTES {
            for (header, footer) in (0..9).flat_map(|header| (0..9).map(move |footer| (header, footer))) {
                let outcome = run(open(&file, None, lines(header, footer), &blocks_of(block_bytes)));
                outcome.end.unwrap();
                let kept = (header as usize).min(records.len())..records.len().saturating_sub(footer as usize);
                let kept = kept.start..kept.end.max(kept.start);
                assert_eq!(outcome.records, records[kept.clone()], "{header} {footer} {block_bytes}");
                assert_eq!(outcome.offsets, offsets[kept]);
            }
        }
    }
}

#[test]
fn a_footer_has_a_limit() {
    let file = file("x", b"a\n");
    let split = InputSplit { file: Arc::clone(&file.meta), range: None };
    let open =
        |footer| open_split(&split, &unannounced(), &lines(0, footer), &InputConfig::default(), ReadBuffers::default());
    assert_eq!(open(101).err().unwrap().code(), codes::BAD_SETTING);
    assert!(open(100).is_ok());
}

#[test]
fn records_that_are_too_long_are_counted_and_passed() {
    let text = b"ok\n123456\r\n1234567\r\n12345678\n\n12345678901234567890123\rend\n1234567";
    let packed = gzip(text);
    let (records, _) = naive(text);
    let kept: Vec<Vec<u8>> = records.iter().filter(|record| record.len() <= 6).cloned().collect();
    let len = text.len() as u64;
    for block_bytes in BLOCK_BYTES {
        let config = InputConfig { record_bytes_max: 6, ..blocks_of(block_bytes) };
        for (name, content) in [("x.log", &text[..]), ("x.gz", &packed[..])] {
            let outcome = read(&file(name, content), None, &config);
            assert_eq!((&outcome.records, outcome.counters.records_too_long), (&kept, 4), "blocks of {block_bytes}");
        }
        let file = file("x.log", text);
        for piece_bytes in 1..=len {
            let parts: Vec<Outcome> = (0..len)
                .step_by(piece_bytes as usize)
                .map(|start| read(&file, Some(start..(start + piece_bytes).min(len)), &config))
                .collect();
            assert_eq!(parts.iter().flat_map(|part| part.records.clone()).collect::<Vec<_>>(), kept);
            assert_eq!(parts.iter().map(|part| part.counters.records_too_long).sum::<u64>(), 4);
        }
        // A header line counts as one, however long.
        let outcome = run(open(&file, None, lines(4, 0), &config));
        assert_eq!((&outcome.records[..], outcome.counters.records_too_long), (&kept[2..], 2));
    }
}

#[test]
fn a_long_record_makes_its_block_grow() {
    let long = "x".repeat(3_000_000);
    let text = format!("a\n{long}\r\nb\n{long}");
    let file = file("x.log", text.as_bytes());
    let config = InputConfig { record_bytes_max: 3_000_000, ..blocks_of(1 << 10) };
    let outcome = read(&file, None, &config);
    assert_eq!(outcome.records.iter().map(Vec::len).collect::<Vec<_>>(), [1, 3_000_000, 1, 3_000_000]);
    let config = InputConfig { record_bytes_max: 2_999_999, ..blocks_of(1 << 10) };
    let outcome = read(&file, None, &config);
    assert_eq!((outcome.records.len(), outcome.counters.records_too_long), (2, 2));
}

// Compressed files.

fn gzip(text: &[u8]) -> Vec<u8> {
    pack(Codec::Gzip, text)
}

fn pack(codec: Codec, text: &[u8]) -> Vec<u8> {
    match codec {
        Codec::Plain => text.to_vec(),
        Codec::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Codec::Deflate => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Codec::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        Codec::Zstd => {
            let mut encoder = zstd::stream::Encoder::new(Vec::new(), 0).unwrap();
            encoder.include_checksum(true).unwrap();
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
    }
}

const PACKED: [Codec; 4] = [Codec::Gzip, Codec::Bzip2, Codec::Zstd, Codec::Deflate];

fn name_of(codec: Codec) -> &'static str {
    match codec {
        Codec::Plain => "x.log",
        Codec::Gzip => "x.gz",
        Codec::Bzip2 => "x.bz2",
        Codec::Zstd => "x.zst",
        Codec::Deflate => "x.deflate",
    }
}

#[track_caller]
fn check_error(name: &str, content: &[u8], code: Code, part: &str) {
    for block_bytes in [1, 1 << 20] {
        let (error, _) = read_error(&file(name, content), &blocks_of(block_bytes));
        assert_eq!(error.code(), code, "{}", error.message());
        assert!(error.message().contains(part), "{}", error.message());
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_an_error() {
    for codec in PACKED {
        let text = log(30);
        let (records, _) = naive(&text);
        let packed = [pack(codec, &text), pack(codec, b""), pack(codec, b"last\n")];
        let ends = [0, packed[0].len(), packed[0].len() + packed[1].len()];
        let packed = packed.concat();
        for n_bytes in (1..packed.len()).filter(|n_bytes| !ends.contains(n_bytes)) {
            let (error, outcome) = read_error(&file(name_of(codec), &packed[..n_bytes]), &blocks_of(64));
            assert_eq!(error.code(), codes::TRUNCATED_FILE, "{codec} cut at {n_bytes}: {}", error.message());
            assert!(outcome.records.len() <= records.len() + 1);
            assert!(records.starts_with(&outcome.records[..outcome.records.len().min(records.len())]));
            let n_records = match outcome.records.len() {
                1 => "; 1 record before it was readable".to_owned(),
                n => format!("; {n} records before it were readable"),
            };
            assert!(error.message().ends_with(&n_records), "{}", error.message());
        }
    }
}

#[test]
fn what_was_readable_comes_before_the_error() {
    let text = log(2_000);
    let packed = gzip(&text);
    let (error, outcome) = read_error(&file("x.gz", &packed[..packed.len() - 8]), &InputConfig::default());
    assert!(outcome.records == naive(&text).0, "{} records", outcome.records.len());
    let Some(Location::Data { byte_offset, record, .. }) = error.location() else { panic!() };
    assert_eq!((*byte_offset, *record), (Some(text.len() as u64), Some(2_001)));
    assert!(error.message().starts_with("the gzip data ends in its trailer"), "{}", error.message());
}

#[test]
fn no_flipped_bit_goes_unnoticed() {
    let text = log(40);
    let mut packed = Vec::new();
    let mut encoder = flate2::GzBuilder::new()
        .filename("x.log")
        .comment("c")
        .extra(b"extra".to_vec())
        .write(&mut packed, Compression::default());
    encoder.write_all(&text).unwrap();
    encoder.finish().unwrap();
    let (records, _) = naive(&text);
    assert_eq!(read(&file("x.gz", &packed), None, &InputConfig::default()).records, records);
    let mut n_harmless = 0;
    for bit in 0..packed.len() * 8 {
        let mut flipped = packed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let outcome = run(open(&file("x.gz", &flipped), None, LineOptions::default(), &blocks_of(1 << 10)));
        if outcome.end.is_ok() {
            // Time, system, name and comment are not checked by anyone.
            n_harmless += 1;
            assert_eq!(outcome.records, records, "bit {bit}");
        }
    }
    assert!(n_harmless < (10 + 2 + 5 + 6 + 2) * 8, "{n_harmless}");
}

#[test]
fn gzip_trailer_and_header_are_checked() {
    let packed = gzip(b"a\nb\n");
    let n = packed.len();
    let with = |at: usize, byte: u8| {
        let mut changed = packed.clone();
        changed[at] = byte;
        changed
    };
    check_error("x.gz", &with(n - 8, !packed[n - 8]), codes::CORRUPT_FILE, "checksum (CRC-32)");
    check_error("x.gz", &with(n - 1, 9), codes::CORRUPT_FILE, "length (ISIZE)");
    check_error("x.gz", &with(2, 7), codes::CORRUPT_FILE, "method 7");
    check_error("x.gz", &with(3, 0x20), codes::CORRUPT_FILE, "flags 0x20");
    // With a checksum of the header: right, then wrong.
    let mut checked = with(3, 2);
    let crc = crc32fast::hash(&checked[..10]) as u16;
    checked.splice(10..10, crc.to_le_bytes());
    assert_eq!(read(&file("x.gz", &checked), None, &InputConfig::default()).records, [b"a", b"b"]);
    checked[4] ^= 1;
    check_error("x.gz", &checked, codes::CORRUPT_FILE, "its header");
}

#[test]
fn bytes_after_the_end() {
    for codec in PACKED {
        let packed = [pack(codec, b"a\n"), pack(codec, b"b\n")].concat();
        let garbage = [
            (vec![0; 512], "512 bytes after the end of the {} data (zero padding)"),
            (vec![0; 1], "1 byte after the end of the {} data (zero padding)"),
            (b"c\nd\n".to_vec(), "4 bytes after the end of the {} data (not {})"),
            ([vec![0; 300_000], b"c".to_vec()].concat(), "300001 bytes after the end of the {} data (not {})"),
        ];
        for (garbage, message) in garbage {
            let content = [&packed[..], &garbage].concat();
            let message = message.replace("{}", &codec.to_string());
            check_error(name_of(codec), &content, codes::CORRUPT_FILE, &message);
            let config = InputConfig { on_trailing_garbage: OnTrailingGarbage::Warn, ..InputConfig::default() };
            let outcome = read(&file(name_of(codec), &content), None, &config);
            assert_eq!(outcome.records, [b"a", b"b"]);
            assert_eq!(outcome.warnings.len(), 1);
            assert!(outcome.warnings[0].contains(&message), "{:?}", outcome.warnings);
            assert_eq!(outcome.counters.bytes_decoded, 4);
        }
    }
}

#[test]
fn a_compressed_file_of_0_bytes_has_no_rows() {
    for codec in PACKED {
        assert!(read(&file(name_of(codec), b""), None, &InputConfig::default()).records.is_empty());
        let empty = pack(codec, b"");
        assert!(read(&file(name_of(codec), &empty), None, &InputConfig::default()).records.is_empty());
    }
}

#[test]
fn members_that_lie_across_two_reads_of_the_file() {
    // Text that does not shrink, so that there are several reads.
    let noise = |i: u64| {
        let mixed = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 48) as u8
    };
    for codec in PACKED {
        let members: Vec<Vec<u8>> =
            (0..700u64).map(|member| (0..500).map(|i| noise(member * 500 + i)).collect()).collect();
        let packed: Vec<u8> = members.iter().flat_map(|member| pack(codec, member)).collect();
        assert!(packed.len() > 300_000);
        let outcome = read(&file(name_of(codec), &packed), None, &InputConfig::default());
        assert!(outcome.records == naive(&members.concat()).0, "{codec}");
    }
}

#[test]
fn zstd_frames_to_be_skipped() {
    let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let packed = [skippable.clone(), pack(Codec::Zstd, b"a\n"), skippable].concat();
    assert_eq!(read(&file("x.zst", &packed), None, &InputConfig::default()).records, [b"a"]);
}

#[test]
fn the_name_decides_and_other_bytes_are_an_error() {
    check_error("x.gz", b"plain text\n", codes::NOT_COMPRESSED, "not gzip, as its name says; it looks like plain text");
    check_error("x.gz", &pack(Codec::Zstd, b"a\n"), codes::NOT_COMPRESSED, "zstd");
    check_error("x.bz2", &gzip(b"a\n"), codes::NOT_COMPRESSED, "gzip");
    check_error("x.zst", &pack(Codec::Bzip2, b"a\n"), codes::NOT_COMPRESSED, "bzip2");
    check_error("x.deflate", b"\0\0\0\0", codes::NOT_COMPRESSED, "binary data");

    let packed = gzip(b"a\nb\n");
    let outcome = read(&file("x.log", &packed), None, &InputConfig::default());
    assert_eq!(outcome.records, naive(&packed).0);
    assert!(outcome.warnings[0].contains("looks like gzip"), "{:?}", outcome.warnings);
    let outcome = read(&file("x.gz", &gzip(&packed)), None, &InputConfig::default());
    assert_eq!(outcome.records, naive(&packed).0);
    assert!(outcome.warnings[0].contains("holds gzip data within"), "{:?}", outcome.warnings);
}

#[test]
fn sniffing_trusts_the_bytes() {
    for block_bytes in BLOCK_BYTES {
        let config = InputConfig { sniff_compression: true, ..blocks_of(block_bytes) };
        assert_eq!(read(&file("x.gz", b"a\nb\n"), None, &config).records, [b"a", b"b"]);
        assert_eq!(read(&file("x.lz4", b"a\nb\n"), None, &config).records, [b"a", b"b"]);
        for codec in PACKED {
            let content = pack(codec, b"a\nb\n");
            assert_eq!(read(&file(name_of(codec), &content), None, &config).records, [b"a", b"b"]);
            if codec != Codec::Deflate {
                let file = file("x.log", &content);
                let len = content.len() as u64;
                assert_eq!(read(&file, None, &config).records, [b"a", b"b"]);
                assert_eq!(read(&file, Some(0..10), &config).records, [b"a", b"b"]);
                assert!(read(&file, Some(10..len), &config).records.is_empty());
            }
        }
    }
}

// Files that change.

#[test]
fn a_file_that_changes_while_it_is_read_is_an_error() {
    for name in ["x.log", "x.gz"] {
        let text: Vec<u8> = (0..200_000u32)
            .map(|i| if i % 50 == 49 { b'\n' } else { ((u64::from(i) * u64::from(i)) >> 7) as u8 | 0x40 })
            .collect();
        let content = if name == "x.gz" { gzip(&text) } else { text };
        let start = |file: &TestFile| {
            let mut reader = open(file, None, LineOptions::default(), &blocks_of(1 << 10));
            assert!(reader.next_block().unwrap().is_some());
            reader
        };

        let cut = file(name, &content);
        let reader = start(&cut);
        OpenOptions::new().write(true).open(&cut.path).unwrap().set_len(content.len() as u64 / 2).unwrap();
        assert_eq!(run(reader).end.unwrap_err().code(), codes::FILE_CHANGED);

        let rewritten = file(name, &content);
        let reader = start(&rewritten);
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
        fs::File::options().write(true).open(&rewritten.path).unwrap().set_modified(later).unwrap();
        assert_eq!(run(reader).end.unwrap_err().code(), codes::FILE_CHANGED);

        let grown = file(name, &content);
        let reader = start(&grown);
        OpenOptions::new().append(true).open(&grown.path).unwrap().write_all(b"more\n").unwrap();
        let end = run(reader).end;
        // The last line of a plain file was cut in two.
        assert_eq!(end.is_ok(), name == "x.gz" || content.ends_with(b"\n"), "{end:?}");

        let removed = file(name, &content);
        let reader = start(&removed);
        fs::remove_file(&removed.path).unwrap();
        assert!(run(reader).end.is_ok());
    }
}

/// Bytes whose reading fails once, at the `n`-th call.
#[derive(Debug)]
struct FaultyFile {
    content: Vec<u8>,
    n_until_fault: AtomicUsize,
}

impl ReadAt for FaultyFile {
    fn len(&self) -> u64 {
        self.content.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize> {
        if self.n_until_fault.fetch_sub(1, Ordering::Relaxed) == 0 {
            return Err(Error::new(codes::STORAGE, "the disk is on fire"));
        }
        let rest = self.content.get(offset as usize..).unwrap_or_default();
        let n_read = rest.len().min(buf.len());
        buf[..n_read].copy_from_slice(&rest[..n_read]);
        Ok(n_read)
    }

    fn verify(&self) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_read_that_fails_is_an_error_after_what_was_read() {
    let text = log(50);
    let (records, _) = naive(&text);
    for codec in [Codec::Plain, Codec::Gzip] {
        let content = pack(codec, &text);
        let on_disk = file(name_of(codec), &content);
        let mut n_faults = 0;
        for n in 0.. {
            let faulty = Arc::new(FaultyFile { content: content.clone(), n_until_fault: AtomicUsize::new(n) });
            let split = InputSplit { file: Arc::clone(&on_disk.meta), range: None };
            let reader = LineReader::new(&split, faulty, codec, 0, &blocks_of(100), ReadBuffers::default()).unwrap();
            let outcome = run(Box::new(reader));
            assert!(records.starts_with(&outcome.records), "fault at read {n}");
            let Err(error) = outcome.end else {
                assert_eq!(outcome.records, records);
                break;
            };
            assert_eq!(error.code(), codes::STORAGE);
            assert!(matches!(error.location(), Some(Location::Data { byte_offset: Some(_), .. })));
            n_faults += 1;
        }
        assert!(n_faults > if codec == Codec::Plain { 20 } else { 0 }, "{n_faults}");
    }
}
