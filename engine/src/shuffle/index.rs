//! Which batches of a spill file belong to which shuffle partition.

use std::ops::Range;

/// The index of one spill file, which holds one run after the other, each ordered by partition.
///
/// ```text
/// spill file:  Arrow IPC file; batch 0, batch 1, … in the order written
/// index:       [u32; n_runs * n_partitions + 1]
///              partition p of run r is batch[start[r * n_partitions + p] .. start[r * n_partitions + p + 1]]
/// ```
///
/// It lives in memory beside the mapped file, which has no name and no life of its own.
#[derive(Debug)]
pub(super) struct RunIndex {
    n_partitions: usize,
    start: Vec<u32>,
}

impl RunIndex {
    pub fn new(n_partitions: usize) -> Self {
        RunIndex { n_partitions, start: vec![0] }
    }

    /// Records the next partition of the run that is being written: it has `n_batches` batches.
    pub fn push_partition(&mut self, n_batches: usize) {
        let last = self.start[self.start.len() - 1];
        self.start.push(last + n_batches as u32);
    }

    /// The batches of one partition, run by run: the order in which its rows were written.
    pub fn batches_of(&self, partition: usize) -> impl Iterator<Item = u32> {
        let ranges = (partition..self.start.len() - 1).step_by(self.n_partitions.max(1));
        ranges.flat_map(|slot| -> Range<u32> { self.start[slot]..self.start[slot + 1] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_reads_as_drawn() {
        let (n_runs, n_partitions) = (2, 3);
        let mut index = RunIndex::new(n_partitions);
        for n_batches in [2, 0, 1, 1, 1, 0] {
            index.push_partition(n_batches);
        }
        assert_eq!(index.start.len(), n_runs * n_partitions + 1);
        assert_eq!(index.start, [0, 2, 2, 3, 4, 5, 5]);
        let batches = |partition| index.batches_of(partition).collect::<Vec<_>>();
        assert_eq!([batches(0), batches(1), batches(2)], [vec![0, 1, 3], vec![4], vec![2]]);
    }
}
