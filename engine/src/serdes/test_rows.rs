//! The one way in which tests of this room read rows: every path must give the same ones.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use bytes::Bytes;

use super::{BadRecords, CellFormatter, TableSerde};
use crate::input::{RecordBlock, RecordRange};

/// Lines of `data` as a block that starts at byte 1000 of its file. A last line without its end counts.
pub(super) fn block(data: &[u8]) -> RecordBlock {
    let mut records = Vec::new();
    let mut start = 0;
    for line in data.split_inclusive(|&byte| byte == b'\n') {
        let end = start + line.len() as u32;
        let terminator = u32::from(line.ends_with(b"\n"));
        records.push(RecordRange { start, end: end - terminator });
        start = end;
    }
    if data.is_empty() {
        records.push(RecordRange { start: 0, end: 0 });
    }
    RecordBlock { data: Bytes::copy_from_slice(data), records, byte_offset: 1000 }
}

/// Rows as text, cells between bars.
pub(super) fn render(batch: &RecordBatch, formatter: &CellFormatter) -> Vec<String> {
    let schema = batch.schema();
    let cells = |row_idx| {
        let cells = batch.columns().iter().zip(schema.fields());
        cells.map(move |(column, field)| formatter.text(field, column, row_idx).unwrap())
    };
    (0..batch.num_rows()).map(|row_idx| cells(row_idx).collect::<Vec<_>>().join("|")).collect()
}

/// Reads the block whole, record by record, in two halves, and under every projection of few columns.
#[track_caller]
pub(super) fn assert_every_path(
    serde: &dyn TableSerde,
    n_columns: usize,
    block: &RecordBlock,
    expect: &[&str],
) -> BadRecords {
    let formatter = CellFormatter::new("NULL");
    let all: Vec<usize> = (0..n_columns).collect();
    let mut deserializer = serde.deserializer(&all).unwrap();
    let whole = deserializer.deserialize(block, block.rows()).unwrap();
    let bad_records = deserializer.take_bad_records();
    assert!(deserializer.take_bad_records().is_empty());
    assert_eq!(render(&whole, &formatter), expect);

    let n_records = block.records.len();
    let one_by_one: Vec<_> = (0..n_records).map(|record_idx| record_idx..record_idx + 1).collect();
    let halves = vec![0..n_records / 2, n_records / 2..n_records, 0..0];
    for ranges in [one_by_one, halves] {
        let batches: Vec<_> = ranges.into_iter().map(|rows| deserializer.deserialize(block, rows).unwrap()).collect();
        assert_eq!(concat_batches(&whole.schema(), &batches).unwrap(), whole);
        assert_eq!(deserializer.take_bad_records(), bad_records);
    }
    for projection in projections(n_columns) {
        let mut deserializer = serde.deserializer(&projection).unwrap();
        let batch = deserializer.deserialize(block, block.rows()).unwrap();
        assert_eq!(batch, whole.project(&projection).unwrap(), "{projection:?}");
        let found = deserializer.take_bad_records();
        assert_eq!((found.malformed, found.invalid_utf8), (bad_records.malformed, bad_records.invalid_utf8));
    }
    bad_records
}

/// Every subset of up to four columns in every order; of more columns a few, among them none and one twice.
fn projections(n_columns: usize) -> Vec<Vec<usize>> {
    if n_columns > 4 {
        let reversed = (0..n_columns).rev().collect();
        let twice = vec![n_columns - 1, 0, n_columns - 1];
        return (0..n_columns).map(|column_idx| vec![column_idx]).chain([vec![], reversed, twice]).collect();
    }
    let mut projections = vec![vec![]];
    let mut next = 0;
    while next < projections.len() {
        for column_idx in 0..n_columns {
            if !projections[next].contains(&column_idx) {
                let mut longer = projections[next].clone();
                longer.push(column_idx);
                projections.push(longer);
            }
        }
        next += 1;
    }
    projections
}
