//! Reading: bytes by position, lines out of them, and lines out of gzip.
//!
//! `positional` only reads, in blocks as the engine does: the floor of `lines` on a file in the page cache. We claim that
//! to find line ends, in memory that is new for each run, costs no more than to copy the bytes twice: `lines` taking more
//! than three times as long as `positional` disproves it. We claim that of a gzip file inflating is nearly all the cost:
//! `gzip_lines` within twice of `lines` would disprove it, and so say that small compressed files may share a split more
//! freely.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use logq_engine::config::InputConfig;
use logq_engine::input::{LineOptions, ReadBuffers, SplitOptions, open_split, plan_splits, read_ahead};
use logq_engine::storage::FileMeta;
use std::sync::Arc;

use crate::generate;

pub fn benches(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let lines = generate::standard(generate::rows());
    for (name, gzip) in [("plain", false), ("gzip", true)] {
        generate::write_files(&folder.path().join(name), &lines, 4, "", gzip);
    }
    let (plain, gzip) = (generate::list(&folder.path().join("plain")), generate::list(&folder.path().join("gzip")));
    let n_lines = generate::rows();

    let mut group = criterion.benchmark_group("reading");
    // Of text, also where less is stored.
    group.throughput(Throughput::Bytes(lines.len() as u64));
    group.bench_function("positional", |bencher| bencher.iter(|| read_bytes(&plain)));
    group.bench_function("lines", |bencher| bencher.iter(|| assert_eq!(read_lines(&plain), n_lines)));
    group.bench_function("gzip_lines", |bencher| bencher.iter(|| assert_eq!(read_lines(&gzip), n_lines)));
    group.finish();
}

fn read_bytes(files: &[Arc<FileMeta>]) {
    let mut block = vec![0; InputConfig::default().block_bytes];
    let opener = generate::storage().read_ahead(Vec::new());
    for meta in files {
        let file = opener.open(meta).expect("it is there");
        let mut offset = 0;
        while offset < meta.len {
            offset += file.read_at(offset, &mut block).expect("it can be read") as u64;
            black_box(&block);
        }
    }
}

fn read_lines(files: &[Arc<FileMeta>]) -> u64 {
    let config = InputConfig::default();
    let mut n_records = 0;
    let mut buffers = ReadBuffers::default();
    let splits = plan_splits(files, &SplitOptions { header_lines: 0, footer_lines: 0, config: &config }).concat();
    let opener = read_ahead(&splits, &generate::storage());
    for split in splits {
        let mut reader =
            open_split(&split, &opener, &LineOptions::default(), &config, buffers).expect("it can be opened");
        while let Some(block) = reader.next_block().expect("it can be read") {
            n_records += black_box(block).records.len() as u64;
        }
        buffers = reader.into_buffers();
    }
    n_records
}
