//! Splitting: which map task reads what, for many small files and for few large ones.
//!
//! We claim that planning is linear and next to nothing beside listing: more than a microsecond a file in `small_files`,
//! or a time per file that grows from a thousand files to a hundred thousand, disproves it.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput};
use logq_engine::config::InputConfig;
use logq_engine::input::{SplitOptions, plan_splits};
use logq_engine::storage::{FileMeta, FileVersion, StoragePath};

pub fn benches(criterion: &mut Criterion) {
    let config = InputConfig::default();
    let options = SplitOptions { header_lines: 0, footer_lines: 0, config: &config };
    let mut group = criterion.benchmark_group("splitting");
    for n_files in [1_000, 100_000] {
        let files = files(n_files, "gz", 80_000);
        group.throughput(Throughput::Elements(n_files));
        group.bench_with_input(BenchmarkId::new("small_files", n_files), &files, |bencher, files| {
            bencher.iter(|| black_box(plan_splits(files, &options)));
        });
    }
    let files = files(100, "log", 10 << 30);
    group.throughput(Throughput::Elements(100));
    group.bench_function("large_files", |bencher| bencher.iter(|| black_box(plan_splits(&files, &options))));
    group.finish();
}

/// Files that are nowhere: planning opens none.
fn files(n_files: u64, extension: &str, len: u64) -> Vec<Arc<FileMeta>> {
    let file = |number| {
        let path = StoragePath::parse(&format!("logs/2026/{number:06}.{extension}"), Path::new("/"));
        let version = FileVersion::Local { dev: 0, inode: number, mtime_ns: 0 };
        Arc::new(FileMeta { path: path.expect("a plain path"), len, version })
    };
    (0..n_files).map(file).collect()
}
