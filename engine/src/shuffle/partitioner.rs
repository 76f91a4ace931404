//! Assigns rows to shuffle partitions by the hash of their keys.

use arrow::array::ArrayRef;
use arrow::error::ArrowError;

use crate::error::{Error, Result, codes};

use super::hash::hash_rows;

/// Which rows of a batch go to which shuffle partition. Its memory is used again from batch to batch.
#[derive(Debug, Default)]
pub struct PartitionedRows {
    hashes: Vec<u64>,
    partition_of_row: Vec<u32>,
    /// Rows of partition p are `rows[start[p]..start[p + 1]]`.
    start: Vec<u32>,
    rows: Vec<u32>,
}

impl PartitionedRows {
    /// Assigns rows by the hash of their keys, and forgets those of the batch before.
    ///
    /// Shape: each of `keys` has `n_rows` rows; without keys, all rows go to partition 0.
    /// Nulls: NULL is a key as any other. Keys that SQL calls equal go to one partition, see `hash.rs`.
    /// Errors: [`codes::UNSUPPORTED_TYPE`] for a key that has no hash.
    pub fn assign(&mut self, keys: &[ArrayRef], n_rows: usize, n_partitions: u32) -> Result<()> {
        if keys.iter().any(|key| key.len() != n_rows) || u32::try_from(n_rows).is_err() {
            return Err(Error::internal(format!("keys do not fit a batch of {n_rows} rows")));
        }
        let n_partitions = if keys.is_empty() { 1 } else { n_partitions.max(1) };
        self.hashes.clear();
        if n_partitions == 1 {
            self.partition_of_row.clear();
            self.partition_of_row.resize(n_rows, 0);
        } else {
            hash_rows(keys, n_rows, &mut self.hashes).map_err(|e| key_error(keys, e))?;
            assign_partitions(&self.hashes, n_partitions, &mut self.partition_of_row);
        }
        sort_by_partition(&self.partition_of_row, n_partitions, &mut self.start, &mut self.rows);
        Ok(())
    }

    /// The partitions that have rows, ascending, and the numbers of their rows, ascending too.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &[u32])> {
        let parts = self.start.windows(2).map(|range| &self.rows[range[0] as usize..range[1] as usize]);
        parts.enumerate().filter(|(_, rows)| !rows.is_empty())
    }
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

fn key_error(keys: &[ArrayRef], error: ArrowError) -> Error {
    let types: Vec<String> = keys.iter().map(|key| key.data_type().to_string()).collect();
    Error::new(codes::UNSUPPORTED_TYPE, format!("cannot group or join by keys of type {}", types.join(", ")))
        .with_source(error)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array, StringViewArray};

    use super::*;

    fn parts(keys: &[ArrayRef], n_rows: usize, n_partitions: u32) -> Vec<(usize, Vec<u32>)> {
        let mut rows = PartitionedRows::default();
        // A batch before this one leaves nothing behind.
        let before: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100));
        rows.assign(&[before], 100, 7).unwrap();
        rows.assign(keys, n_rows, n_partitions).unwrap();
        rows.iter().map(|(partition, rows)| (partition, rows.to_vec())).collect()
    }

    #[test]
    fn every_row_goes_to_the_partition_of_its_key() {
        let keys: ArrayRef = Arc::new(StringViewArray::from_iter(
            (0..5000).map(|i| (i % 11 != 0).then(|| format!("a key that is long enough {}", i % 101))),
        ));
        for n_partitions in [1, 2, 3, 32, 1000] {
            let parts = parts(&[Arc::clone(&keys)], 5000, n_partitions);
            assert!(parts.windows(2).all(|pair| pair[0].0 < pair[1].0));
            let mut home: HashMap<Option<&str>, usize> = HashMap::new();
            for (partition, rows) in &parts {
                assert!(*partition < n_partitions as usize && !rows.is_empty());
                assert!(rows.windows(2).all(|pair| pair[0] < pair[1]), "rows keep their order");
                for row in rows {
                    let key = keys.as_string_view().iter().nth(*row as usize).unwrap();
                    assert_eq!(home.entry(key).or_insert(*partition), partition);
                }
            }
            let mut rows: Vec<u32> = parts.into_iter().flat_map(|(_, rows)| rows).collect();
            rows.sort_unstable();
            assert!(rows.into_iter().eq(0..5000));
        }
    }

    #[test]
    fn partitions_are_even() {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values((0..80_000).map(|i| i * 1000)));
        let parts = parts(&[numbers], 80_000, 32);
        assert_eq!(parts.len(), 32);
        assert!(parts.iter().all(|(_, rows)| (2250..2750).contains(&rows.len())));
    }

    #[test]
    fn batches_without_keys_or_rows_are_fine() {
        assert_eq!(parts(&[], 3, 64), [(0, vec![0, 1, 2])]);
        let none: ArrayRef = Arc::new(Int64Array::from_iter_values(0..0));
        assert_eq!(parts(&[Arc::clone(&none)], 0, 4), []);
        assert!(PartitionedRows::default().assign(&[none], 2, 4).is_err());
    }
}
