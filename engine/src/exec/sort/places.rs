//! Orders the places of rows by their keys, 16 bytes of a key at a time.
//!
//! Most comparisons are of numbers that lie side by side: a row's key is looked up once for each piece of it, and only
//! while other rows are like it so far, as in a radix sort from the first digit on. Comparing whole keys row by row takes
//! two to three times as long where many keys begin alike, as paths and addresses do.

use std::ops::Range;

use arrow::row::Rows;

/// Where a row lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// A piece of the row's key; in halves, since a `u128` would make the struct a third larger.
    piece: [u64; 2],
    pub batch_idx: u32,
    pub row_idx: u32,
}

const PIECE_BYTES: usize = 16;

/// The places of all rows, by their keys; those with equal keys in the order in which they came.
pub(super) fn sorted_places(keys: &[Rows]) -> Vec<Place> {
    let n_rows = keys.iter().map(Rows::num_rows).sum();
    let mut places = Vec::with_capacity(n_rows);
    let n_common = common_prefix(keys);
    for (batch_idx, keys) in keys.iter().enumerate() {
        let place = |(row_idx, key): (usize, &[u8])| Place {
            piece: piece(key, n_common),
            batch_idx: batch_idx as u32,
            row_idx: row_idx as u32,
        };
        places.extend(keys.iter().map(|key| key.data()).enumerate().map(place));
    }
    // Ranges whose keys are alike up to a byte, and that byte. Not by recursion, which keys of any length would overflow.
    let mut alike: Vec<(Range<usize>, usize)> = vec![(0..n_rows, n_common)];
    while let Some((range, byte)) = alike.pop() {
        let mut start = range.start;
        let places = &mut places[range];
        places.sort_unstable_by_key(Place::order);
        for run in places.chunk_by_mut(|left, right| left.piece == right.piece) {
            let end = start + run.len();
            if run.len() > 1 {
                sort_further(keys, run, byte + PIECE_BYTES).then(|| alike.push((start..end, byte + PIECE_BYTES)));
            }
            start = end;
        }
    }
    places
}

/// Takes the next piece of keys that are alike before `byte`; false if they end there, and so are equal.
///
/// No key is the beginning of another one, as `arrow::row` makes them. So where one ends, all do, and zeros behind the
/// end of a key do not make it like a longer one.
fn sort_further(keys: &[Rows], run: &mut [Place], byte: usize) -> bool {
    if run.first().is_none_or(|place| place.key(keys).len() <= byte) {
        run.sort_unstable_by_key(|place| (place.batch_idx, place.row_idx));
        return false;
    }
    for place in run {
        place.piece = piece(place.key(keys), byte);
    }
    true
}

impl Place {
    fn order(&self) -> u128 {
        u128::from(self.piece[0]) << 64 | u128::from(self.piece[1])
    }

    fn key<'a>(&self, keys: &'a [Rows]) -> &'a [u8] {
        keys[self.batch_idx as usize].row(self.row_idx as usize).data()
    }
}

/// The bytes of `key` from `byte` on, and zeros behind its end.
fn piece(key: &[u8], byte: usize) -> [u64; 2] {
    let rest = &key[byte.min(key.len())..];
    let mut bytes = [0; PIECE_BYTES];
    let n_bytes = rest.len().min(PIECE_BYTES);
    bytes[..n_bytes].copy_from_slice(&rest[..n_bytes]);
    let both = u128::from_be_bytes(bytes);
    [(both >> 64) as u64, both as u64]
}

/// How many bytes all keys begin with.
fn common_prefix(keys: &[Rows]) -> usize {
    let mut all = keys.iter().flat_map(Rows::iter);
    let Some(first) = all.next().map(|key| key.data()) else { return 0 };
    let alike = |n_bytes: usize, key: &[u8]| first[..n_bytes].iter().zip(key).take_while(|(a, b)| a == b).count();
    all.fold(first.len(), |n_bytes, key| alike(n_bytes, key.data()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringViewArray};
    use arrow::row::{RowConverter, SortField};
    use arrow_schema::{DataType, SortOptions};

    use super::*;

    /// Sorts batches of rows both ways: piece by piece, and by comparing whole keys with a sort that is stable.
    fn check(batches: &[Vec<ArrayRef>], options: SortOptions) {
        let fields =
            batches[0].iter().map(|column| SortField::new_with_options(column.data_type().clone(), options)).collect();
        let converter = RowConverter::new(fields).unwrap();
        let keys: Vec<Rows> = batches.iter().map(|batch| converter.convert_columns(batch).unwrap()).collect();
        let mut expect: Vec<(usize, usize)> = (0..keys.len())
            .flat_map(|batch_idx| (0..keys[batch_idx].num_rows()).map(move |row_idx| (batch_idx, row_idx)))
            .collect();
        expect.sort_by(|left, right| keys[left.0].row(left.1).cmp(&keys[right.0].row(right.1)));
        let places: Vec<(usize, usize)> =
            sorted_places(&keys).iter().map(|place| (place.batch_idx as usize, place.row_idx as usize)).collect();
        assert_eq!(places, expect);
    }

    fn text(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
        Arc::new(StringViewArray::from_iter(values))
    }

    const ORDERS: [SortOptions; 2] =
        [SortOptions { descending: false, nulls_first: true }, SortOptions { descending: true, nulls_first: false }];

    #[test]
    fn keys_that_begin_alike_are_told_apart_wherever_they_differ() {
        for options in ORDERS {
            for n_alike in [0, 1, 5, 13, 14, 15, 16, 17, 31, 32, 33, 64, 200] {
                let value = |n: usize| {
                    let ending = ["", "\0", "\0\0", "a", "b", "\u{ff}", "a longer ending than sixteen bytes"];
                    (!n.is_multiple_of(13)).then(|| "/".repeat(n_alike) + ending[n * 31 % ending.len()])
                };
                let batches: Vec<Vec<ArrayRef>> =
                    (0..4).map(|batch| vec![text((0..200).map(|n| value(batch * 77 + n * 5)))]).collect();
                check(&batches, options);
            }
        }
    }

    #[test]
    fn equal_keys_keep_their_order() {
        for options in ORDERS {
            let batch = || vec![text((0..500).map(|n| Some(format!("the same {} times", n % 3))))];
            check(&[batch(), batch(), batch()], options);
            check(&[vec![text((0..500).map(|_| None))], batch()], options);
        }
    }

    #[test]
    fn several_columns_are_compared_one_after_the_other() {
        for options in ORDERS {
            let batch = |start: i64| -> Vec<ArrayRef> {
                let numbers = start..start + 300;
                vec![
                    Arc::new(Int64Array::from_iter(numbers.clone().map(|n| (n % 7 != 0).then_some(n * 31 % 5)))),
                    text(numbers.clone().map(|n| (n % 11 != 0).then(|| "text ".repeat((n % 9) as usize)))),
                    Arc::new(Int64Array::from_iter_values(numbers.map(|n| n * 7919 % 101))),
                ]
            };
            check(&[batch(0), batch(300), batch(150)], options);
        }
    }

    #[test]
    fn no_rows_and_keys_without_bytes() {
        assert!(sorted_places(&[]).is_empty());
        let nothing: ArrayRef = arrow::array::new_null_array(&DataType::Null, 3);
        check(&[vec![Arc::clone(&nothing)], vec![nothing]], ORDERS[0]);
    }
}
