//! Assigns rows to shuffle partitions by the hash of their keys.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use crate::error::{Error, Result, codes};

use super::hash::hash_rows;
use super::kernel_error;

/// Memory that is used again from batch to batch.
#[derive(Debug, Default)]
pub struct PartitionScratch {
    hashes: Vec<u64>,
    partition_of_row: Vec<u32>,
    /// Rows of partition p are `rows[start[p]..start[p + 1]]`.
    start: Vec<u32>,
    rows: Vec<u32>,
}

/// Divides `batch` into the parts of `n_partitions` shuffle partitions.
///
/// Shape: `keys` has as many rows as `batch`; parts ascend, none is empty, and each keeps its rows in their order.
/// With one partition, or no keys, the batch itself is the only part.
/// Nulls: NULL is a key as any other. Keys that SQL calls equal go to one partition, see `hash.rs`.
/// Errors: [`codes::UNSUPPORTED_TYPE`] for a key that has no hash.
pub fn hash_partition(
    batch: &RecordBatch,
    keys: &[ArrayRef],
    n_partitions: u32,
    scratch: &mut PartitionScratch,
) -> Result<Vec<(u32, RecordBatch)>> {
    let n_rows = batch.num_rows();
    if keys.iter().any(|key| key.len() != n_rows) || u32::try_from(n_rows).is_err() {
        return Err(Error::internal(format!("keys do not fit a batch of {n_rows} rows")));
    }
    if n_rows == 0 {
        return Ok(Vec::new());
    }
    if n_partitions <= 1 || keys.is_empty() {
        return Ok(vec![(0, batch.clone())]);
    }
    hash_rows(keys, n_rows, &mut scratch.hashes).map_err(|e| key_error(keys, e))?;
    assign_partitions(&scratch.hashes, n_partitions, &mut scratch.partition_of_row);
    sort_by_partition(&scratch.partition_of_row, n_partitions, &mut scratch.start, &mut scratch.rows);

    let mut parts = Vec::new();
    for (partition, range) in (0..n_partitions).zip(scratch.start.windows(2)) {
        let (start, end) = (range[0] as usize, range[1] as usize);
        if end - start == n_rows {
            return Ok(vec![(partition, batch.clone())]);
        }
        if start < end {
            let rows = UInt32Array::from(scratch.rows[start..end].to_vec());
            parts.push((partition, take_rows(batch, &rows).map_err(kernel_error)?));
        }
    }
    Ok(parts)
}

/// Scales the upper half of each hash to the number of partitions, which need not be a power of two.
fn assign_partitions(hashes: &[u64], n_partitions: u32, partition_of_row: &mut Vec<u32>) {
    partition_of_row.clear();
    partition_of_row.extend(hashes.iter().map(|hash| (((hash >> 32) * u64::from(n_partitions)) >> 32) as u32));
}

/// A counting sort: row numbers by partition, ascending within each.
fn sort_by_partition(partition_of_row: &[u32], n_partitions: u32, start: &mut Vec<u32>, rows: &mut Vec<u32>) {
    start.clear();
    start.resize(n_partitions as usize + 1, 0);
    for &partition in partition_of_row {
        start[partition as usize] += 1;
    }
    let mut end = 0;
    for slot in start.iter_mut() {
        end += *slot;
        *slot = end;
    }
    // Now each slot is its partition's end; filling from the back leaves it at the start.
    rows.clear();
    rows.resize(partition_of_row.len(), 0);
    for (row, &partition) in partition_of_row.iter().enumerate().rev() {
        let slot = &mut start[partition as usize];
        *slot -= 1;
        rows[*slot as usize] = row as u32;
    }
}

fn take_rows(batch: &RecordBatch, rows: &UInt32Array) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().map(|column| take(column, rows, None)).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(Arc::clone(batch.schema_ref()), columns, &options)
}

fn key_error(keys: &[ArrayRef], error: ArrowError) -> Error {
    let types: Vec<String> = keys.iter().map(|key| key.data_type().to_string()).collect();
    Error::new(codes::UNSUPPORTED_TYPE, format!("cannot group or join by keys of type {}", types.join(", ")))
        .with_source(error)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow::array::{Array, AsArray, Int64Array, StringViewArray};
    use arrow::datatypes::{Int64Type, Schema};

    use super::*;

    fn batch(n_rows: i64) -> RecordBatch {
        let key: ArrayRef = Arc::new(StringViewArray::from_iter(
            (0..n_rows).map(|i| (i % 11 != 0).then(|| format!("a key that is long enough {}", i % 101))),
        ));
        let value: ArrayRef = Arc::new(Int64Array::from_iter_values(0..n_rows));
        RecordBatch::try_from_iter([("key", key), ("value", value)]).unwrap()
    }

    #[test]
    fn every_row_goes_to_the_partition_of_its_key() {
        let batch = batch(5000);
        let mut scratch = PartitionScratch::default();
        for n_partitions in [1, 2, 3, 32, 1000] {
            let parts = hash_partition(&batch, &batch.columns()[..1], n_partitions, &mut scratch).unwrap();
            assert!(parts.windows(2).all(|pair| pair[0].0 < pair[1].0));
            let mut home: HashMap<Option<String>, u32> = HashMap::new();
            let mut n_rows = 0;
            for (partition, part) in &parts {
                assert!(*partition < n_partitions && part.num_rows() > 0);
                let values = part.column(1).as_primitive::<Int64Type>().values();
                assert!(values.windows(2).all(|pair| pair[0] < pair[1]), "rows keep their order");
                for key in part.column(0).as_string_view() {
                    assert_eq!(home.entry(key.map(str::to_owned)).or_insert(*partition), partition);
                }
                n_rows += part.num_rows();
            }
            assert_eq!(n_rows, 5000);
        }
    }

    #[test]
    fn partitions_are_even() {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((0..80_000).map(|i| i * 1000)));
        let batch = RecordBatch::try_from_iter([("n", Arc::clone(&numbers))]).unwrap();
        let parts = hash_partition(&batch, &[numbers], 32, &mut PartitionScratch::default()).unwrap();
        assert_eq!(parts.len(), 32);
        assert!(parts.iter().all(|(_, part)| (2250..2750).contains(&part.num_rows())));
    }

    #[test]
    fn batches_without_columns_or_rows_are_fine() {
        let mut scratch = PartitionScratch::default();
        let options = RecordBatchOptions::new().with_row_count(Some(3));
        let bare = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap();
        let keys: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 1]));
        let parts = hash_partition(&bare, &[keys], 64, &mut scratch).unwrap();
        assert_eq!(parts.iter().map(|(_, part)| part.num_rows()).sum::<usize>(), 3);
        assert!(hash_partition(&batch(0), &[batch(0).column(0).clone()], 4, &mut scratch).unwrap().is_empty());
        let short = batch(2).column(0).slice(0, 1);
        assert!(hash_partition(&batch(2), &[short], 4, &mut scratch).is_err());
    }
}
