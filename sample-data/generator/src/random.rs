//! Chance that is the same everywhere: one seed, no floating point.

/// SplitMix64 (Steele, Lea and Flood, 2014), for its five lines.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number of `0..bound`, each as likely as the other.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number of `low..high`, small ones much more often.
    pub fn skewed(&mut self, low: u64, high: u64) -> u64 {
        let bound = self.below(high - low) + 1;
        let bound = self.below(bound) + 1;
        low + self.below(bound)
    }

    /// True `n` times in a thousand.
    pub fn per_mille(&mut self, n: u64) -> bool {
        self.below(1000) < n
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// A number that looks like chance and is always the same for `n`.
pub fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// Draws positions, each as often as its weight says.
pub struct Weighted {
    ends: Vec<u64>,
}

impl Weighted {
    pub fn new(weights: impl Iterator<Item = u64>) -> Self {
        let add = |sum: &mut u64, weight| {
            *sum += weight;
            Some(*sum)
        };
        Weighted { ends: weights.scan(0, add).collect() }
    }

    /// Zipf's law: the n-th is drawn about 1/n as often as the first; `flat` evens out the head.
    pub fn zipf(n: u64, flat: u64) -> Self {
        Weighted::new((0..n).map(|rank| 1_000_000_000 / (rank + flat)))
    }

    pub fn draw(&self, random: &mut Random) -> usize {
        let at = random.below(self.ends[self.ends.len() - 1]);
        self.ends.partition_point(|end| *end <= at)
    }
}
