//! In memory, spilled and mixed: the same rows in the same batches, and nothing left behind.

use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, AsArray, Int64Array, StringViewArray, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{Int64Type, Schema};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use tempfile::TempDir;

use super::*;
use crate::shuffle::{MergeInput, PartitionedRows};

/// A budget of so many bytes, which counts what is out.
struct Limit {
    bytes_max: usize,
    bytes: AtomicUsize,
}

impl MemoryBudget for Limit {
    fn try_grow(&self, bytes: usize) -> bool {
        let grow = |held| Some(held + bytes).filter(|held| *held <= self.bytes_max);
        self.bytes.fetch_update(Ordering::SeqCst, Ordering::SeqCst, grow).is_ok()
    }

    fn shrink(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::SeqCst);
    }
}

const STAGE: StageId = StageId(1);
const N_PARTITIONS: usize = 3;

struct Fixture {
    temp: TempDir,
    limit: Arc<Limit>,
    store: ShuffleStore,
}

impl Fixture {
    fn new(bytes_max: usize) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let limit = Arc::new(Limit { bytes_max, bytes: AtomicUsize::new(0) });
        let store = ShuffleStore::new(temp.path(), JobId::new(), limit.clone());
        Fixture { temp, limit, store }
    }

    fn start(&self, task: u32) -> MapOutputWriter {
        self.store.start(STAGE, TaskId(task), AttemptId(0), rows(0, 0).schema(), N_PARTITIONS)
    }

    /// Writes the rows that `task` would write, some to each partition, in batches of about `batch_rows`.
    fn write_task(&self, task: u32, n_rows: i64, batch_rows: i64) {
        let mut writer = self.start(task);
        let mut start = 0;
        while start < n_rows {
            let end = (start + batch_rows).min(n_rows);
            for partition in 0..2 {
                let first = i64::from(task) * 1_000_000 + partition * 100_000;
                writer.write(partition as usize, rows(first + start, first + end)).unwrap();
            }
            start = end;
        }
        assert!(self.store.commit(writer.finish().unwrap()));
    }

    fn temp_is_empty(&self) -> bool {
        std::fs::read_dir(self.temp.path()).unwrap().next().is_none()
    }

    fn held(&self) -> usize {
        self.limit.bytes.load(Ordering::SeqCst)
    }
}

fn rows(start: i64, end: i64) -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(start..end));
    let text = (start..end).map(|i| (i % 5 != 0).then(|| format!("text of row {i}, longer than a view")));
    let text: ArrayRef = Arc::new(StringViewArray::from_iter(text));
    RecordBatch::try_from_iter_with_nullable([("n", numbers, false), ("text", text, true)]).unwrap()
}

fn numbers(batches: impl Iterator<Item = crate::error::Result<RecordBatch>>) -> Vec<i64> {
    batches.flat_map(|batch| batch.unwrap().column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
}

/// In memory, all spilled, some spilled: `(name, bytes of memory)`.
const BUDGETS: [(&str, usize); 3] = [("memory", usize::MAX), ("spilled", 0), ("mixed", 4 << 20)];

#[test]
fn memory_and_spilled_read_the_same() {
    let mut expect: Option<(Vec<RecordBatch>, Vec<PartitionStats>)> = None;
    for (name, bytes_max) in BUDGETS {
        for batch_rows in [20_000, 700] {
            let fixture = Fixture::new(bytes_max);
            for task in [2, 0, 1] {
                fixture.write_task(task, 30_000, batch_rows);
            }
            assert_eq!(fixture.store.spilled_bytes() > 0, name != "memory", "{name}");
            assert_eq!(fixture.held() > 0, name != "spilled", "{name}");
            let batches: Vec<_> = fixture.store.read(STAGE, 0..3).map(Result::unwrap).collect();
            let again: Vec<_> = fixture.store.read(STAGE, 0..3).map(Result::unwrap).collect();
            assert_eq!(batches, again, "{name} can be read again");
            let read = (batches, fixture.store.stats(STAGE));
            match &expect {
                None => {
                    let all = concat_batches(&read.0[0].schema(), &read.0).unwrap();
                    let order = (0..2).flat_map(|p| (0..3).map(move |t| t * 1_000_000 + p * 100_000));
                    let order = order.flat_map(|first| first..first + 30_000);
                    assert!(all.column(0).as_primitive::<Int64Type>().values().iter().copied().eq(order));
                    expect = Some(read);
                }
                Some(expect) => assert!(*expect == read, "{name} differs with batches of {batch_rows}"),
            }
        }
    }
}

#[test]
fn partitions_and_tasks_are_read_alone() {
    for (name, bytes_max) in BUDGETS {
        let fixture = Fixture::new(bytes_max);
        fixture.write_task(0, 10, 3);
        fixture.write_task(1, 10, 3);
        let first = |task: i64, partition: i64| task * 1_000_000 + partition * 100_000;
        let expect: Vec<i64> = (0..2).flat_map(|task| first(task, 1)..first(task, 1) + 10).collect();
        assert_eq!(numbers(fixture.store.read(STAGE, 1..2)), expect, "{name}");
        let expect: Vec<i64> = (0..2).flat_map(|partition| first(1, partition)..first(1, partition) + 10).collect();
        assert_eq!(numbers(fixture.store.read_task(STAGE, TaskId(1))), expect, "{name}");
        assert_eq!(fixture.store.read(STAGE, 2..3).count(), 0);
        assert_eq!(fixture.store.read(STAGE, 7..9).count(), 0);
        assert_eq!(fixture.store.read_task(STAGE, TaskId(9)).count(), 0);
        assert_eq!(fixture.store.tasks(STAGE), [TaskId(0), TaskId(1)]);
    }
}

#[test]
fn runs_to_merge_come_in_small_batches() {
    for (name, bytes_max) in BUDGETS {
        let fixture = Fixture::new(bytes_max);
        fixture.write_task(0, 30_000, 20_000);
        let whole: Vec<RecordBatch> = fixture.store.read_task(STAGE, TaskId(0)).map(Result::unwrap).collect();
        let run = MergeInput::new(fixture.store.read_task(STAGE, TaskId(0)), 1_000_000);
        let pieces: Vec<RecordBatch> = run.map(Result::unwrap).collect();
        // 64 KiB of numbers and texts, of which one in five is NULL.
        let n_rows: Vec<usize> = pieces.iter().map(RecordBatch::num_rows).collect();
        assert!(n_rows.iter().all(|rows| (1..1700).contains(rows)), "{name}: {n_rows:?}");
        let schema = whole[0].schema();
        assert_eq!(concat_batches(&schema, &pieces).unwrap(), concat_batches(&schema, &whole).unwrap(), "{name}");
    }
}

#[test]
fn crumbs_are_put_together() {
    let fixture = Fixture::new(usize::MAX);
    for task in 0..100 {
        fixture.write_task(task, 10, 10);
    }
    assert_eq!(fixture.store.read(STAGE, 0..3).count(), 1);
}

#[test]
fn stats_count_values() {
    let fixture = Fixture::new(0);
    fixture.write_task(0, 5, 2);
    let stats = fixture.store.stats(STAGE);
    // Five numbers, four texts of 33 bytes ("text of row 1, longer than a view"), and ten bits.
    assert_eq!(stats[0], PartitionStats { rows: 5, bytes: 5 * 8 + 4 * 33 + 2 });
    assert_eq!(stats[2], PartitionStats::default());
    assert!(fixture.store.stats(StageId(9)).is_empty());
}

#[test]
fn unfinished_and_uncommitted_outputs_leave_nothing() {
    for (name, bytes_max) in BUDGETS {
        let fixture = Fixture::new(bytes_max);
        let mut writer = fixture.start(0);
        (0..20).for_each(|_| writer.write(1, rows(0, 20_000)).unwrap());
        assert_eq!(fixture.temp_is_empty(), name == "memory");
        drop(writer);
        let mut writer = fixture.start(0);
        writer.write(1, rows(0, 20_000)).unwrap();
        drop(writer.finish().unwrap());
        assert_eq!(fixture.store.read(STAGE, 0..3).count(), 0);
        assert!(fixture.store.stats(STAGE).is_empty());
        assert_eq!(fixture.held(), 0, "{name}");
        let Fixture { store, temp, .. } = fixture;
        drop(store);
        assert!(std::fs::read_dir(temp.path()).unwrap().next().is_none(), "{name}");
    }
}

#[test]
fn first_committed_attempt_wins() {
    let fixture = Fixture::new(usize::MAX);
    for (attempt, is_first) in [(1, true), (0, false)] {
        let mut writer = fixture.store.start(STAGE, TaskId(0), AttemptId(attempt), rows(0, 0).schema(), N_PARTITIONS);
        writer.write(0, rows(i64::from(attempt), i64::from(attempt) + 1)).unwrap();
        assert_eq!(fixture.store.commit(writer.finish().unwrap()), is_first);
    }
    assert_eq!(numbers(fixture.store.read(STAGE, 0..3)), [1]);
}

#[test]
fn eight_threads_write_at_once() {
    for (name, bytes_max) in BUDGETS {
        let fixture = Fixture::new(bytes_max);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let fixture = &fixture;
                scope.spawn(move || (0..4).for_each(|i| fixture.write_task(thread * 4 + i, 5000, 999)));
            }
        });
        let expect: Vec<i64> = (0..32).flat_map(|task| task * 1_000_000..task * 1_000_000 + 5000).collect();
        assert_eq!(numbers(fixture.store.read(STAGE, 0..1)), expect, "{name}");
        assert!(fixture.held() <= bytes_max);
    }
}

#[test]
fn released_outputs_outlive_their_readers_only() {
    for (name, bytes_max) in BUDGETS {
        let fixture = Fixture::new(bytes_max);
        fixture.write_task(0, 20_000, 5000);
        let mut reader = fixture.store.read(STAGE, 0..1);
        let first = reader.next().unwrap().unwrap();
        fixture.store.release(STAGE);
        assert_eq!(fixture.store.read(STAGE, 0..1).count(), 0);
        assert_eq!(first.num_rows() + numbers(reader).len(), 20_000, "{name}");
        assert_eq!(fixture.held(), 0);
        let limit = Arc::clone(&fixture.limit);
        let temp = fixture.temp;
        drop(fixture.store);
        assert!(std::fs::read_dir(temp.path()).unwrap().next().is_none(), "{name}");
        assert_eq!(first.column(1).as_string_view().value(1), "text of row 1, longer than a view");
        assert_eq!(limit.bytes.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn held_batches_do_not_pin_what_they_came_from() {
    let fixture = Fixture::new(usize::MAX);
    let large = rows(0, 100_000);
    let mut writer = fixture.start(0);
    for start in (0..100_000).step_by(10_000) {
        writer.write(0, large.slice(start, 10)).unwrap();
    }
    assert!(fixture.store.commit(writer.finish().unwrap()));
    assert!(fixture.held() < 20_000, "{} bytes for 100 rows", fixture.held());
    let batch = fixture.store.read(STAGE, 0..1).next().unwrap().unwrap();
    assert_eq!(batch.num_rows(), 100);
    assert!(batch.get_array_memory_size() < 20_000);
}

#[test]
fn memory_stays_within_the_budget() {
    let fixture = Fixture::new(1 << 20);
    for task in 0..10 {
        fixture.write_task(task, 20_000, 1000);
    }
    assert!(fixture.held() <= 1 << 20);
    assert!(fixture.store.spilled_bytes() > 0);
}

#[test]
fn empty_outputs_and_batches_without_columns() {
    for (name, bytes_max) in BUDGETS {
        let fixture = Fixture::new(bytes_max);
        let mut writer = fixture.start(0);
        writer.write(0, rows(0, 0)).unwrap();
        assert!(fixture.store.commit(writer.finish().unwrap()));
        assert_eq!(fixture.store.read(STAGE, 0..3).count(), 0);
        assert_eq!(fixture.store.stats(STAGE), [PartitionStats::default(); N_PARTITIONS]);
        assert!(fixture.temp_is_empty());

        let schema = Arc::new(Schema::empty());
        let options = RecordBatchOptions::new().with_row_count(Some(5000));
        let bare = RecordBatch::try_new_with_options(Arc::clone(&schema), vec![], &options).unwrap();
        let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(0..5000));
        let mut assigned = PartitionedRows::default();
        assigned.assign(&[keys], 5000, N_PARTITIONS as u32).unwrap();
        let mut writer = fixture.store.start(StageId(3), TaskId(0), AttemptId(0), Arc::clone(&schema), N_PARTITIONS);
        writer.write_rows(&bare, &assigned).unwrap();
        assert!(fixture.store.commit(writer.finish().unwrap()));
        let n_rows: usize = fixture.store.read(StageId(3), 0..3).map(|batch| batch.unwrap().num_rows()).sum();
        assert_eq!(n_rows, 5000, "{name}");

        let mut writer = fixture.store.start(StageId(2), TaskId(0), AttemptId(0), Arc::clone(&schema), 1);
        for n_rows in [5000, 5000] {
            let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
            let bare = RecordBatch::try_new_with_options(Arc::clone(&schema), vec![], &options).unwrap();
            writer.write(0, bare).unwrap();
        }
        assert!(fixture.store.commit(writer.finish().unwrap()));
        let n_rows: Vec<_> = fixture.store.read(StageId(2), 0..1).map(|batch| batch.unwrap().num_rows()).collect();
        assert_eq!(n_rows, [8192, 1808], "{name}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(16))]

    /// Any writes, any budget: the same batches as in memory and cut differently.
    #[test]
    fn any_writes_read_the_same(
        writes in proptest::collection::vec((0..N_PARTITIONS, 0_i64..9000), 0..30),
        bytes_max in 0_usize..3_000_000,
    ) {
        let write = |fixture: &Fixture, step: i64| {
            let mut writer = fixture.start(0);
            for &(partition, n_rows) in &writes {
                for start in (0..n_rows).step_by(step as usize) {
                    writer.write(partition, rows(start, (start + step).min(n_rows))).unwrap();
                }
            }
            fixture.store.commit(writer.finish().unwrap());
            fixture.store.read(STAGE, 0..3).map(Result::unwrap).collect::<Vec<_>>()
        };
        let expect = write(&Fixture::new(usize::MAX), 10_000);
        let limited = Fixture::new(bytes_max);
        let read = write(&limited, 1111);
        assert!(read == expect);
        assert!(limited.held() <= bytes_max);
        drop(limited.store);
        drop(read);
        assert_eq!(limited.limit.bytes.load(Ordering::SeqCst), 0);
    }

    /// Rows that are copied one by one, beside the slow way: each part of a batch taken and written.
    #[test]
    fn assigned_rows_are_those_that_are_written(
        batches in proptest::collection::vec((0_i64..9000, 1_i64..1000), 0..12),
        bytes_max in 0_usize..3_000_000,
    ) {
        let write = |fixture: &Fixture, one_by_one: bool| {
            let mut writer = fixture.start(0);
            let mut assigned = PartitionedRows::default();
            for (start, &(n_rows, n_keys)) in (0..).step_by(10_000).zip(&batches) {
                let batch = rows(start, start + n_rows);
                let keys: ArrayRef = Arc::new(Int64Array::from_iter_values((0..n_rows).map(|row| row % n_keys)));
                assigned.assign(&[keys], batch.num_rows(), N_PARTITIONS as u32).unwrap();
                if one_by_one {
                    writer.write_rows(&batch, &assigned).unwrap();
                    continue;
                }
                for (partition, rows) in assigned.iter() {
                    let part = take_record_batch(&batch, &UInt32Array::from(rows.to_vec())).unwrap();
                    writer.write(partition, part).unwrap();
                }
            }
            fixture.store.commit(writer.finish().unwrap());
            let stats = fixture.store.stats(STAGE);
            (fixture.store.read(STAGE, 0..3).map(Result::unwrap).collect::<Vec<_>>(), stats)
        };
        let expect = write(&Fixture::new(usize::MAX), false);
        assert!(write(&Fixture::new(usize::MAX), true) == expect);
        let limited = Fixture::new(bytes_max);
        assert!(write(&limited, true) == expect);
        assert!(limited.held() <= bytes_max);
        drop(limited.store);
        assert_eq!(limited.limit.bytes.load(Ordering::SeqCst), 0);
    }
}

#[test]
fn long_texts_that_are_one_in_memory_stay_one() {
    let fixture = Fixture::new(usize::MAX);
    let text = StringViewArray::from(vec!["a long text ".repeat(1000)]);
    let one = UInt32Array::from(vec![0; 1000]);
    let texts = arrow::compute::take(&text, &one, None).unwrap();
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
    let batch =
        RecordBatch::try_from_iter_with_nullable([("n", Arc::clone(&numbers), false), ("text", texts, true)]).unwrap();
    let mut rows = PartitionedRows::default();
    rows.assign(&[numbers], 1000, N_PARTITIONS as u32).unwrap();
    let mut writer = fixture.start(0);
    writer.write_rows(&batch, &rows).unwrap();
    fixture.store.commit(writer.finish().unwrap());
    assert_eq!(fixture.store.read(STAGE, 0..3).map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 1000);
    assert!(fixture.held() < 1 << 20, "{} bytes for 12 kB", fixture.held());
}

#[test]
fn readers_may_be_sent() {
    fn sent<T: Send + 'static>() {}
    sent::<ShuffleReader>();
    sent::<MapOutputWriter>();
    sent::<MapOutput>();
}

#[test]
fn wrong_partitions_and_columns_are_bugs() {
    let fixture = Fixture::new(usize::MAX);
    let mut writer = fixture.start(0);
    assert!(writer.write(N_PARTITIONS, rows(0, 1)).is_err());
    assert!(writer.write(0, rows(0, 1).project(&[1, 0]).unwrap()).is_err());
}
