//! Hive's `NumericHistogram`, step by step, so that `percentile_approx` gives Hive's answers.
//!
//! Up to `bins_max` distinct values nothing is lost. Beyond, the two nearest bins become one; among equally near pairs
//! Java's random numbers decide, seeded as in Hive. Merging takes the bins of both and trims. Where Hive keeps two bins
//! at one place apart, they become one here: up to `bins_max` distinct values the answer then does not depend on how the
//! values were divided. Beyond, it depends on the order of merging, and is the same for the same order.
//!
//! Source: Hive `NumericHistogram`; Ben-Haim and Tom-Tov, "A Streaming Parallel Decision Tree Algorithm" (2010).

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Histogram {
    bins_max: usize,
    /// Ascending: where a bin lies, and how many values it stands for.
    bins: Vec<(f64, f64)>,
    random: JavaRandom,
}

impl Histogram {
    pub fn new(bins_max: usize) -> Self {
        Histogram { bins_max, bins: Vec::new(), random: JavaRandom::new(31183) }
    }

    pub fn is_empty(&self) -> bool {
        self.bins.is_empty()
    }

    pub fn size(&self) -> usize {
        size_of::<Self>() + self.bins.capacity() * size_of::<(f64, f64)>()
    }

    pub fn add(&mut self, value: f64) {
        match self.bins.binary_search_by(|(x, _)| x.total_cmp(&value)) {
            Ok(at) => self.bins[at].1 += 1.0,
            Err(at) => {
                self.bins.insert(at, (value, 1.0));
                if self.bins.len() > self.bins_max {
                    self.trim();
                }
            }
        }
    }

    /// The number of bins allowed, then place and count of each bin.
    pub fn serialize(&self) -> Vec<f64> {
        let bins = self.bins.iter().flat_map(|(x, y)| [*x, *y]);
        std::iter::once(self.bins_max as f64).chain(bins).collect()
    }

    /// Takes the bins of another histogram, serialized.
    pub fn merge(&mut self, other: &[f64]) {
        let [bins_max, rest @ ..] = other else { return };
        let bins = rest.chunks_exact(2).map(|bin| (bin[0], bin[1]));
        if self.bins.is_empty() {
            self.bins_max = *bins_max as usize;
            self.bins = bins.collect();
            return;
        }
        self.bins.extend(bins);
        self.bins.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.bins.dedup_by(|later, bin| {
            let same = later.0.total_cmp(&bin.0).is_eq();
            if same {
                bin.1 += later.1;
            }
            same
        });
        self.trim();
    }

    fn trim(&mut self) {
        while self.bins.len() > self.bins_max.max(1) {
            let mut smallest = self.bins[1].0 - self.bins[0].0;
            let (mut at, mut count) = (0, 1);
            for i in 1..self.bins.len() - 1 {
                let difference = self.bins[i + 1].0 - self.bins[i].0;
                if difference < smallest {
                    (smallest, at, count) = (difference, i, 1);
                } else if difference == smallest {
                    count += 1;
                    if self.random.next_double() <= 1.0 / f64::from(count) {
                        at = i;
                    }
                }
            }
            let (x2, y2) = self.bins.remove(at + 1);
            let (x1, y1) = self.bins[at];
            let total = y1 + y2;
            self.bins[at] = (x1 * (y1 / total) + x2 / total * y2, total);
        }
    }

    /// The value below which the part `q` of all values lies, between two bins interpolated; nothing without values.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let sum: f64 = self.bins.iter().map(|(_, y)| y).sum();
        let mut below = 0.0;
        for (position, (x, y)) in self.bins.iter().enumerate() {
            if (below + y) / sum >= q {
                if position == 0 {
                    return Some(*x);
                }
                let before = self.bins[position - 1].0;
                return Some(before + (q * sum - below) * (x - before) / y);
            }
            below += y;
        }
        // Rounding may leave the last bin just below.
        self.bins.last().map(|(x, _)| *x)
    }
}

/// `java.util.Random`.
#[derive(Debug, Clone, PartialEq)]
struct JavaRandom(u64);

impl JavaRandom {
    fn new(seed: u64) -> Self {
        JavaRandom((seed ^ 0x5_DEEC_E66D) & ((1 << 48) - 1))
    }

    fn next(&mut self, bits: u32) -> u64 {
        self.0 = self.0.wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB) & ((1 << 48) - 1);
        self.0 >> (48 - bits)
    }

    fn next_double(&mut self) -> f64 {
        ((self.next(26) << 27) + self.next(27)) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn javas_random_numbers() {
        // `new java.util.Random(42).nextDouble()`
        assert_eq!(JavaRandom::new(42).next_double(), 0.727_563_680_032_868_1);
    }

    #[test]
    fn merges_to_the_same_as_one() {
        let mut whole = Histogram::new(100);
        let (mut left, mut right) = (Histogram::new(100), Histogram::new(100));
        for i in 0..80 {
            whole.add(f64::from(i * 7 % 80));
            if i % 2 == 0 { &mut left } else { &mut right }.add(f64::from(i * 7 % 80));
        }
        let mut merged = Histogram::new(0);
        merged.merge(&left.serialize());
        merged.merge(&right.serialize());
        assert_eq!(merged.serialize(), whole.serialize());
        assert_eq!(merged.quantile(0.5), Some(39.0));
    }

    #[test]
    fn what_is_on_both_sides_is_counted_once() {
        let (mut left, mut right, mut whole) = (Histogram::new(10), Histogram::new(10), Histogram::new(10));
        [1.0, 2.0, 3.0].into_iter().for_each(|v| left.add(v));
        [2.0, 3.0, 4.0].into_iter().for_each(|v| right.add(v));
        [1.0, 2.0, 3.0, 2.0, 3.0, 4.0].into_iter().for_each(|v| whole.add(v));
        left.merge(&right.serialize());
        assert_eq!(left.serialize(), whole.serialize());
    }

    #[test]
    fn trims_to_the_bins_allowed() {
        let mut histogram = Histogram::new(3);
        [1.0, 2.0, 10.0, 11.5, 30.0].into_iter().for_each(|v| histogram.add(v));
        assert_eq!(histogram.serialize(), [3.0, 1.5, 2.0, 10.75, 2.0, 30.0, 1.0]);
    }
}
