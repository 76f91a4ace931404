//! What `percentile_approx` remembers of its values: how many there were of each, to a resolution that fits.
//!
//! Up to `bins_max` distinct values nothing is lost, and the answer is Hive's. Beyond, all values lose their last bits,
//! one after the other, until few enough are left, so what is kept follows from the values alone. Hive's histogram joins
//! the two nearest bins instead, and its answer depends on the order of the rows and on the map tasks; both are
//! approximations of the same number. Fewer than 10,000 bins are not used, though they may be asked for.
//!
//! Source: Hive `NumericHistogram.quantile`; the resolution is that of Epicoco et al., "UDDSketch" (2020), with the
//! bits of a double for its logarithm.

/// Hive's default, and so much is always kept.
const BINS_MIN: usize = 10_000;
/// Values that wait to be sorted into the bins.
const PENDING_MAX: usize = 4096;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Histogram {
    bins_max: usize,
    /// How many of a double's bits are not kept.
    bits_dropped: u32,
    /// Ascending: the bits that a bin's values share, as a double, and how many values there are.
    bins: Vec<(f64, f64)>,
    smallest: f64,
    largest: f64,
    pending: Vec<(f64, f64)>,
}

impl Histogram {
    pub fn new(bins_max: usize) -> Self {
        Histogram {
            bins_max: bins_max.max(BINS_MIN),
            bits_dropped: 0,
            bins: Vec::new(),
            smallest: f64::INFINITY,
            largest: f64::NEG_INFINITY,
            pending: Vec::new(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.bins.is_empty() && self.pending.is_empty()
    }

    pub fn size(&self) -> usize {
        size_of::<Self>() + (self.bins.capacity() + self.pending.capacity()) * size_of::<(f64, f64)>()
    }

    pub fn add(&mut self, value: f64) {
        // Zero has one sign here.
        let value = value + 0.0;
        self.smallest = self.smallest.min(value);
        self.largest = self.largest.max(value);
        self.pending.push((value, 1.0));
        if self.pending.len() >= PENDING_MAX {
            self.settle();
        }
    }

    /// `bins_max`, `bits_dropped`, `smallest`, `largest`, then each bin and its count.
    pub fn serialize(&mut self) -> Vec<f64> {
        self.settle();
        let head = [self.bins_max as f64, f64::from(self.bits_dropped), self.smallest, self.largest];
        head.into_iter().chain(self.bins.iter().flat_map(|(bin, count)| [*bin, *count])).collect()
    }

    /// Takes the bins of another histogram, serialized.
    pub fn merge(&mut self, other: &[f64]) {
        let [bins_max, bits_dropped, smallest, largest, bins @ ..] = other else { return };
        self.bins_max = self.bins_max.max(*bins_max as usize);
        self.bits_dropped = self.bits_dropped.max(*bits_dropped as u32);
        self.smallest = self.smallest.min(*smallest);
        self.largest = self.largest.max(*largest);
        self.pending.extend(bins.chunks_exact(2).map(|bin| (bin[0], bin[1])));
        self.settle();
    }

    /// Sorts what is pending into the bins, and makes them coarser until they fit.
    fn settle(&mut self) {
        self.bins.append(&mut self.pending);
        self.bins.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.join_equal();
        while self.bins.len() > self.bins_max {
            self.bits_dropped += 1;
            self.join_equal();
        }
    }

    fn join_equal(&mut self) {
        let kept_bits = !((1u64 << self.bits_dropped) - 1);
        for (bin, _) in &mut self.bins {
            *bin = f64::from_bits(bin.to_bits() & kept_bits);
        }
        self.bins.dedup_by(|later, bin| {
            let same = later.0.to_bits() == bin.0.to_bits();
            if same {
                bin.1 += later.1;
            }
            same
        });
    }

    /// The value below which the part `q` of all values lies, between two bins interpolated; nothing without values.
    pub fn quantile(&mut self, q: f64) -> Option<f64> {
        self.settle();
        let sum: f64 = self.bins.iter().map(|(_, count)| count).sum();
        let mut below = 0.0;
        for (bin_idx, (bin, count)) in self.bins.iter().enumerate() {
            if (below + count) / sum >= q {
                let place = self.place(*bin);
                if bin_idx == 0 {
                    return Some(place);
                }
                let before = self.place(self.bins[bin_idx - 1].0);
                return Some(before + (q * sum - below) * (place - before) / count);
            }
            below += count;
        }
        // Rounding may leave the last bin just below.
        self.bins.last().map(|(bin, _)| self.place(*bin))
    }

    /// The middle of a bin.
    fn place(&self, bin: f64) -> f64 {
        if self.bits_dropped == 0 {
            return bin;
        }
        let middle = f64::from_bits(bin.to_bits() | 1 << (self.bits_dropped - 1));
        let middle = if middle.is_nan() { bin } else { middle };
        middle.max(self.smallest).min(self.largest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: impl IntoIterator<Item = f64>) -> Histogram {
        let mut histogram = Histogram::new(0);
        values.into_iter().for_each(|value| histogram.add(value));
        histogram
    }

    #[test]
    fn few_values_are_exact() {
        let mut histogram = of([1.0, 2.0, 3.0, 4.0]);
        assert_eq!(histogram.quantile(0.5), Some(2.0));
        assert_eq!(histogram.quantile(0.6), Some(2.4));
        assert_eq!(of([]).quantile(0.5), None);
        assert_eq!(of([-0.0, 0.0]).serialize(), [10_000.0, 0.0, 0.0, 0.0, 0.0, 2.0]);
    }

    #[test]
    fn many_values_are_near() {
        for (smallest, largest) in [(0.0, 1.0), (-1e6, 1e6), (1e-9, 1e9)] {
            let n = 200_000;
            let step = (largest - smallest) / f64::from(n);
            let mut histogram = of((0..n).map(|i| smallest + step * f64::from(i)));
            for part in [0.001, 0.25, 0.5, 0.99] {
                let (found, exact) = (histogram.quantile(part).unwrap(), smallest + (largest - smallest) * part);
                assert!((found - exact).abs() <= exact.abs() / 1000.0 + 2.0 * step, "{found} for {exact}");
            }
        }
    }

    #[test]
    fn any_double_has_a_bin() {
        let values = (0..60_000u64).map(|i| f64::from_bits(i.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let mut histogram = of(values.filter(|value| !value.is_nan()));
        let median = histogram.quantile(0.5).unwrap();
        assert!(median.abs() < 1e-3, "{median}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn does_not_depend_on_order_or_division(
            (values, shuffled, at) in prop::collection::vec(-1e6..1e6f64, 20_000..40_000).prop_flat_map(|values| {
                let n = values.len();
                (Just(values.clone()), Just(values).prop_shuffle(), 0..=n)
            })
        ) {
            let mut divided = of(shuffled[at..].iter().copied());
            divided.merge(&of(shuffled[..at].iter().copied()).serialize());
            prop_assert_eq!(divided.serialize(), of(values).serialize());
        }
    }
}
