//! The one way in which tests of this room read rows: every path must give the same ones.

use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use bytes::Bytes;

use super::{BadRecords, CellFormatter, RowFilter, TableSerde};
use crate::error::Result;
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

/// Keeps rows whose texts in some columns have an even number of bytes; its answer is NULL where one of them is.
#[derive(Debug)]
struct EvenTexts(Vec<usize>);

impl RowFilter for EvenTexts {
    fn columns(&self) -> &[usize] {
        &self.0
    }

    fn keep(&self, rows: &RecordBatch) -> Result<BooleanArray> {
        let is_even = |row: String| (!row.split('|').any(|cell| cell == "NULL")).then_some(row.len().is_multiple_of(2));
        Ok(render(rows, &CellFormatter::new("NULL")).into_iter().map(is_even).collect())
    }
}

/// Under filters, the rows are those that are left of all rows afterwards.
#[track_caller]
fn assert_filtered(serde: &dyn TableSerde, block: &RecordBlock, whole: &RecordBatch, projection: &[usize]) {
    let n_columns = whole.num_columns();
    let first_columns = (0..n_columns.min(3)).map(|column_idx| vec![vec![column_idx]]);
    let several = [vec![vec![0], vec![n_columns - 1]], vec![vec![n_columns - 1, 0]], vec![vec![]]];
    for columns in first_columns.chain(several.into_iter().filter(|columns| columns[0].len() <= n_columns)) {
        let filters: Vec<Arc<dyn RowFilter>> =
            columns.iter().map(|columns| Arc::new(EvenTexts(dedup(columns))) as Arc<dyn RowFilter>).collect();
        let mut left = whole.clone();
        for filter in &filters {
            let keep = filter.keep(&left.project(filter.columns()).unwrap()).unwrap();
            left = filter_record_batch(&left, &keep).unwrap();
        }
        let mut deserializer = serde.deserializer(projection, &filters).unwrap();
        let batch = deserializer.deserialize(block, block.rows()).unwrap();
        assert_eq!(batch, left.project(projection).unwrap(), "{projection:?} where {columns:?}");
        assert_eq!(deserializer.rows_filtered(), (whole.num_rows() - left.num_rows()) as u64);
    }
}

fn dedup(columns: &[usize]) -> Vec<usize> {
    let mut columns = columns.to_vec();
    columns.dedup();
    columns
}

/// Reads the block whole, record by record, in two halves, and under every projection of few columns, with filters and
/// without.
#[track_caller]
pub(super) fn assert_every_path(
    serde: &dyn TableSerde,
    n_columns: usize,
    block: &RecordBlock,
    expect: &[&str],
) -> BadRecords {
    let formatter = CellFormatter::new("NULL");
    let all: Vec<usize> = (0..n_columns).collect();
    let mut deserializer = serde.deserializer(&all, &[]).unwrap();
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
        let mut deserializer = serde.deserializer(&projection, &[]).unwrap();
        let batch = deserializer.deserialize(block, block.rows()).unwrap();
        assert_eq!(batch, whole.project(&projection).unwrap(), "{projection:?}");
        let found = deserializer.take_bad_records();
        assert_eq!((found.malformed, found.invalid_utf8), (bad_records.malformed, bad_records.invalid_utf8));
    }
    for projection in [all.clone(), all.into_iter().rev().collect(), vec![0], vec![]] {
        assert_filtered(serde, block, &whole, &projection);
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
