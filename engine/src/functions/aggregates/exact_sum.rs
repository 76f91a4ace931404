//! A sum of doubles without rounding, so that it is the same in any order and however it was divided.
//!
//! Hive adds in the order of the rows and of the map tasks, so its last digits depend on the input splits. Here the sum
//! is kept exactly, as an unevaluated sum of doubles, and rounded once when it is asked for.
//!
//! Source: Shewchuk, "Adaptive Precision Floating-Point Arithmetic" (1997), for error-free addition; Dekker (1971), for
//! error-free multiplication.

/// Values are held this much smaller, so that a sum of finite values stays finite. Of values below 2^-958 the last bits
/// are lost, of each on its own, so the order of the values does not matter to them either.
const SCALE: f64 = 1.0 / 18_446_744_073_709_551_616.0;

/// An exact sum: the terms together are its value.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ExactSum {
    /// Not finite once a value was not.
    pub high: f64,
    pub low: f64,
    /// What does not fit into the two.
    #[expect(clippy::box_collection, reason = "most sums have none, and there is one for each group")]
    pub rest: Option<Box<Vec<f64>>>,
}

impl ExactSum {
    pub fn add(&mut self, value: f64) {
        self.add_term(value * SCALE);
    }

    /// Adds the exact product.
    pub fn add_product(&mut self, x: f64, y: f64) {
        let (product, error) = two_product(x * SCALE, y);
        self.add_term(product);
        self.add_term(error);
    }

    /// Takes in another sum, by its terms.
    pub fn add_term(&mut self, term: f64) {
        let (high, error) = two_sum(self.high, term);
        self.high = high;
        if error == 0.0 {
            return;
        }
        if !high.is_finite() {
            self.low = 0.0;
            self.rest = None;
            return;
        }
        let (low, error) = two_sum(self.low, error);
        self.low = low;
        if error != 0.0 {
            grow(self.rest.get_or_insert_default(), error);
        }
    }

    pub fn terms(&self) -> impl Iterator<Item = f64> {
        [self.high, self.low].into_iter().chain(self.rest.iter().flat_map(|rest| rest.iter().copied()))
    }

    /// The double nearest to the sum.
    pub fn value(&self) -> f64 {
        if !self.high.is_finite() {
            return self.high;
        }
        let mut expansion = Vec::new();
        self.terms().for_each(|term| grow(&mut expansion, term));
        round(&expansion) / SCALE
    }

    /// The double nearest to `n` times this sum of products `xy`, less the sum of `x` times the sum of `y`: what variance
    /// and covariance are made of. Exactly zero for values that are all the same.
    pub fn spread(&self, n: u64, x: &ExactSum, y: &ExactSum) -> f64 {
        if !(self.high.is_finite() && x.high.is_finite() && y.high.is_finite()) {
            return f64::NAN;
        }
        let mut difference = ExactSum::default();
        for term in self.terms() {
            difference.add_product(term / SCALE, n as f64);
        }
        for x in x.terms() {
            for y in y.terms() {
                difference.add_product(-x / SCALE, y / SCALE);
            }
        }
        difference.value()
    }

    pub fn heap_bytes(&self) -> usize {
        self.rest.as_ref().map_or(0, |rest| size_of::<Vec<f64>>() + rest.capacity() * size_of::<f64>())
    }
}

/// Sum and rounding error; together exactly `a + b`, unless the sum is not finite.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let b_part = sum - a;
    let a_part = sum - b_part;
    (sum, (a - a_part) + (b - b_part))
}

fn two_product(x: f64, y: f64) -> (f64, f64) {
    let product = x * y;
    // Splitting takes 27 bits more than the value: too large for the largest, whose squares are infinite anyway.
    let (x_high, x_low) = split(x);
    let (y_high, y_low) = split(y);
    let error = x_low * y_low - (((product - x_high * y_high) - x_low * y_high) - x_high * y_low);
    (product, if error.is_finite() { error } else { 0.0 })
}

fn split(x: f64) -> (f64, f64) {
    let scaled = 134_217_729.0 * x;
    let high = scaled - (scaled - x);
    (high, x - high)
}

/// Adds a term to terms that do not overlap, smallest first, and keeps them so.
fn grow(expansion: &mut Vec<f64>, term: f64) {
    let mut carry = term;
    let mut n_kept = 0;
    for term_idx in 0..expansion.len() {
        let (sum, error) = two_sum(carry, expansion[term_idx]);
        if error != 0.0 {
            expansion[n_kept] = error;
            n_kept += 1;
        }
        carry = sum;
    }
    expansion.truncate(n_kept);
    if carry != 0.0 {
        expansion.push(carry);
    }
}

/// Adds terms that do not overlap, smallest first, with one rounding, half to even.
fn round(expansion: &[f64]) -> f64 {
    let mut terms = expansion.iter().rev();
    let Some(&first) = terms.next() else { return 0.0 };
    let mut total = first;
    while let Some(&term) = terms.next() {
        let (sum, error) = two_sum(total, term);
        total = sum;
        if error == 0.0 {
            continue;
        }
        // A tie between two doubles is broken by the sign of what comes below it.
        if let Some(&below) = terms.next()
            && (error < 0.0) == (below < 0.0)
        {
            let twice = error * 2.0;
            let up = total + twice;
            if up - total == twice {
                total = up;
            }
        }
        break;
    }
    total
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(values: &[f64]) -> ExactSum {
        let mut sum = ExactSum::default();
        values.iter().for_each(|value| sum.add(*value));
        sum
    }

    #[test]
    fn rounds_once() {
        assert_eq!(sum(&[0.1; 10]).value(), 1.0);
        assert_eq!(sum(&[1e16, 1.0, 1e-16]).value(), 10_000_000_000_000_002.0);
        assert_eq!(sum(&[1.0, 1e100, 1.0, -1e100]).value(), 2.0);
        assert_eq!(sum(&[1e308, 1e308, -1e308, -1e308, 3.0]).value(), 3.0);
        assert_eq!(sum(&[f64::MAX, f64::MAX]).value(), f64::INFINITY);
        assert_eq!(sum(&[]).value(), 0.0);
    }

    #[test]
    fn what_is_not_finite_stays() {
        assert_eq!(sum(&[1.0, f64::INFINITY, 2.0]).value(), f64::INFINITY);
        assert!(sum(&[f64::INFINITY, 1.0, f64::NEG_INFINITY]).value().is_nan());
        assert!(sum(&[f64::NAN, 1.0]).value().is_nan());
    }

    #[test]
    fn equal_values_do_not_spread() {
        let (x, mut products) = (sum(&[0.1; 7]), ExactSum::default());
        (0..7).for_each(|_| products.add_product(0.1, 0.1));
        assert_eq!(products.spread(7, &x, &x), 0.0);
    }

    fn finite() -> impl Strategy<Value = f64> {
        prop_oneof![-1e3..1e3f64, -1e300..1e300f64, -1e-300..1e-300f64, Just(1e16), Just(-1e16)]
    }

    proptest! {
        #[test]
        fn is_the_same_in_any_order_and_division(
            (values, shuffled, at) in prop::collection::vec(finite(), 0..60).prop_flat_map(|values| {
                let n = values.len();
                (Just(values.clone()), Just(values).prop_shuffle(), 0..=n)
            })
        ) {
            let mut divided = sum(&shuffled[at..]);
            sum(&shuffled[..at]).terms().for_each(|term| divided.add_term(term));
            prop_assert_eq!(sum(&values).value().to_bits(), divided.value().to_bits());
            shuffled[at..].iter().for_each(|value| divided.add(-*value));
            prop_assert_eq!(divided.value().to_bits(), sum(&shuffled[..at]).value().to_bits());
        }

        #[test]
        fn agrees_with_whole_numbers(values in prop::collection::vec(any::<i64>(), 0..60)) {
            // The low bits make these sums need more than one term; i128 to f64 rounds half to even too.
            let (mut total, mut exact) = (0i128, ExactSum::default());
            for value in values {
                let (high, low) = (value >> 32 << 32, value & 0xffff_ffff);
                exact.add(high as f64);
                exact.add(low as f64);
                total += i128::from(value);
            }
            prop_assert_eq!(exact.value(), total as f64);
        }
    }
}
