//! Shuffle: rows hashed into partitions, written as map output, and read back.
//!
//! `partition` only says which rows go where; `memory` copies them there and reads them back. We claim that the copy costs
//! little more than that: `memory` taking more than four times as long as `partition` disproves it. We claim that spilling
//! each few hundred kilobytes to a file in the page cache, and checking them again when they are read, costs at most
//! another tenth of a microsecond a row: `spilled` taking more than six times as long as `memory` disproves it, and says
//! that the limit on memory is a cliff and not a slope.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, StringViewArray};
use arrow::record_batch::RecordBatch;
use criterion::{Criterion, Throughput};
use logq_engine::id::{AttemptId, JobId, StageId, TaskId};
use logq_engine::shuffle::{MemoryBudget, PartitionedRows, ShuffleStore};

use crate::generate;

const N_PARTITIONS: u32 = 32;
const BATCH_ROWS: u64 = 8192;

/// A budget that grants everything or nothing.
struct Budget {
    grants: bool,
}

impl MemoryBudget for Budget {
    fn try_grow(&self, _bytes: usize) -> bool {
        self.grants
    }

    fn shrink(&self, _bytes: usize) {}
}

pub fn benches(criterion: &mut Criterion) {
    let batches = batches(generate::rows() * 4);
    let n_rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let n_bytes: usize = batches.iter().map(value_bytes).sum();
    let mut group = criterion.benchmark_group("shuffle");
    group.throughput(Throughput::Bytes(n_bytes as u64));
    group.bench_function("partition", |bencher| {
        bencher.iter(|| divide(&batches, |_, rows| _ = black_box(rows)));
    });
    for (name, grants) in [("memory", true), ("spilled", false)] {
        let folder = tempfile::tempdir().expect("there is a place for temporary files");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let store = ShuffleStore::new(folder.path(), JobId::new(), Arc::new(Budget { grants }));
                let schema = batches[0].schema();
                let mut writer = store.start(StageId(1), TaskId(0), AttemptId(0), schema, N_PARTITIONS as usize);
                divide(&batches, |batch, rows| writer.write_rows(batch, rows).expect("there is room"));
                assert!(store.commit(writer.finish().expect("there is room")));
                assert_eq!(store.spilled_bytes() == 0, grants);
                let read =
                    store.read(StageId(1), 0..N_PARTITIONS).map(|batch| batch.expect("it can be read").num_rows());
                assert_eq!(read.sum::<usize>(), n_rows);
            });
        });
    }
    group.finish();
}

fn divide(batches: &[RecordBatch], mut take: impl FnMut(&RecordBatch, &PartitionedRows)) {
    let mut rows = PartitionedRows::default();
    for batch in batches {
        rows.assign(&batch.columns()[..1], batch.num_rows(), N_PARTITIONS).expect("text has a hash");
        take(batch, &rows);
    }
}

/// Bytes of the rows themselves: texts and numbers.
fn value_bytes(batch: &RecordBatch) -> usize {
    let text_bytes: usize = batch.column(0).as_string_view().lengths().map(|bytes| bytes as usize).sum();
    text_bytes + batch.num_rows() * 2 * size_of::<i64>()
}

/// Rows as a partial aggregation by URI makes them: a text of some 40 bytes, a count and a sum.
fn batches(n_rows: u64) -> Vec<RecordBatch> {
    let batch = |start| {
        let rows = start..n_rows.min(start + BATCH_ROWS);
        let uris = rows.clone().map(|row| format!("/images/holiday/test-image-{:08}.jpeg", row * 7919 % n_rows));
        let uri: ArrayRef = Arc::new(StringViewArray::from_iter_values(uris));
        let requests: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.clone().map(|row| row as i64 % 100)));
        let bytes: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.map(|row| row as i64 * 4096)));
        RecordBatch::try_from_iter([("uri", uri), ("requests", requests), ("bytes", bytes)]).expect("equal lengths")
    };
    (0..n_rows).step_by(BATCH_ROWS as usize).map(batch).collect()
}
