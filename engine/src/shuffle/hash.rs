//! Hashes of rows, for assigning them to shuffle partitions.
//!
//! Our own and fixed for good, because results depend on it: which rows meet in a reducer, and in which order. The
//! same on every machine, in every run. It is not the hash of any hash table downstream, or the rows of one partition
//! would crowd into a part of that table. It does not resist keys chosen to collide: they slow a job down, no more.
//!
//! Values that SQL calls equal hash alike: text in any layout, `-0.0` and `0.0`, all NaNs, and NULL with NULL.

use arrow::array::{Array, ArrayRef, AsArray, OffsetSizeTrait};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::take;
use arrow::datatypes::{ArrowNativeType, DataType, Float16Type, Float32Type, Float64Type, i256};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};

/// Of every row before its first column.
const SEED: u64 = 0x243f_6a88_85a3_08d3;
/// What NULL hashes to.
const NULL: u64 = 0x1319_8a2e_0370_7344;
/// Odd, and without a pattern: digits of pi, as the two above.
const MULTIPLIER: u64 = 0xa409_3822_299f_31d1;

/// Sets `hashes` to the hashes of `n_rows` rows, column by column.
pub(super) fn hash_rows(columns: &[ArrayRef], n_rows: usize, hashes: &mut Vec<u64>) -> Result<(), ArrowError> {
    hashes.clear();
    hashes.resize(n_rows, SEED);
    columns.iter().try_for_each(|column| add_column(column, hashes))
}

fn add_column(array: &dyn Array, hashes: &mut [u64]) -> Result<(), ArrowError> {
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
    match array.data_type() {
        DataType::Null => hashes.iter_mut().for_each(|hash| *hash = combine(*hash, NULL)),
        DataType::Boolean => {
            let values = array.as_boolean().values();
            add_values(hashes, nulls, |row| u64::from(values.value(row)));
        }
        DataType::Float16 => {
            let values = array.as_primitive::<Float16Type>().values();
            add_values(hashes, nulls, |row| float_bits(values[row].to_f64()));
        }
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>().values();
            add_values(hashes, nulls, |row| float_bits(f64::from(values[row])));
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>().values();
            add_values(hashes, nulls, |row| float_bits(values[row]));
        }
        DataType::Utf8 => {
            add_text(hashes, nulls, array.as_string::<i32>().offsets(), array.as_string::<i32>().values())
        }
        DataType::LargeUtf8 => {
            add_text(hashes, nulls, array.as_string::<i64>().offsets(), array.as_string::<i64>().values());
        }
        DataType::Binary => {
            add_text(hashes, nulls, array.as_binary::<i32>().offsets(), array.as_binary::<i32>().values());
        }
        DataType::LargeBinary => {
            add_text(hashes, nulls, array.as_binary::<i64>().offsets(), array.as_binary::<i64>().values());
        }
        DataType::Utf8View => {
            let text = array.as_string_view();
            add_values(hashes, nulls, |row| hash_bytes(text.value(row).as_bytes()));
        }
        DataType::BinaryView => {
            let text = array.as_binary_view();
            add_values(hashes, nulls, |row| hash_bytes(text.value(row)));
        }
        DataType::FixedSizeBinary(_) => {
            let bytes = array.as_fixed_size_binary();
            add_values(hashes, nulls, |row| hash_bytes(bytes.value(row)));
        }
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            add_column(&take(dictionary.values(), dictionary.keys(), None)?, hashes)?;
        }
        DataType::Struct(_) => {
            let mut fields = Vec::new();
            hash_rows(array.as_struct().columns(), array.len(), &mut fields)?;
            add_values(hashes, nulls, |row| fields[row]);
        }
        DataType::List(_) => {
            add_list(hashes, nulls, array.as_list::<i32>().offsets(), array.as_list::<i32>().values())?
        }
        DataType::LargeList(_) => {
            add_list(hashes, nulls, array.as_list::<i64>().offsets(), array.as_list::<i64>().values())?;
        }
        DataType::Map(_, _) => {
            let map = array.as_map();
            let entries: ArrayRef = std::sync::Arc::new(map.entries().clone());
            add_list(hashes, nulls, map.offsets(), &entries)?;
        }
        DataType::Interval(_) => add_rows(hashes, array)?,
        data_type => match data_type.primitive_width() {
            Some(1) => add_words::<u8>(hashes, nulls, array, u64::from),
            Some(2) => add_words::<u16>(hashes, nulls, array, u64::from),
            Some(4) => add_words::<u32>(hashes, nulls, array, u64::from),
            Some(8) => add_words::<u64>(hashes, nulls, array, |word| word),
            Some(16) => add_words::<i128>(hashes, nulls, array, |word| hash_bytes(&word.to_le_bytes())),
            Some(32) => add_words::<i256>(hashes, nulls, array, |word| hash_bytes(&word.to_le_bytes())),
            _ => add_rows(hashes, array)?,
        },
    }
    Ok(())
}

/// Adds a column of which `value_hash` gives the rows that are not null.
#[inline]
fn add_values(hashes: &mut [u64], nulls: Option<&NullBuffer>, value_hash: impl Fn(usize) -> u64) {
    match nulls {
        None => hashes.iter_mut().enumerate().for_each(|(row, hash)| *hash = combine(*hash, value_hash(row))),
        Some(nulls) => hashes.iter_mut().enumerate().for_each(|(row, hash)| {
            *hash = combine(*hash, if nulls.is_valid(row) { value_hash(row) } else { NULL });
        }),
    }
}

/// Adds a column whose values are equal exactly if their bits are.
fn add_words<T: ArrowNativeType>(
    hashes: &mut [u64],
    nulls: Option<&NullBuffer>,
    array: &dyn Array,
    to_word: impl Fn(T) -> u64,
) {
    let data = array.to_data();
    let words: &[T] = data.buffer(0);
    add_values(hashes, nulls, |row| to_word(words[row]));
}

fn add_text<O: OffsetSizeTrait>(
    hashes: &mut [u64],
    nulls: Option<&NullBuffer>,
    offsets: &OffsetBuffer<O>,
    bytes: &[u8],
) {
    add_values(hashes, nulls, |row| hash_bytes(&bytes[offsets[row].as_usize()..offsets[row + 1].as_usize()]));
}

fn add_list<O: OffsetSizeTrait>(
    hashes: &mut [u64],
    nulls: Option<&NullBuffer>,
    offsets: &OffsetBuffer<O>,
    values: &ArrayRef,
) -> Result<(), ArrowError> {
    let first = offsets[0].as_usize();
    let values = values.slice(first, offsets[offsets.len() - 1].as_usize() - first);
    let mut value_hashes = Vec::new();
    hash_rows(std::slice::from_ref(&values), values.len(), &mut value_hashes)?;
    add_values(hashes, nulls, |row| {
        let items = &value_hashes[offsets[row].as_usize() - first..offsets[row + 1].as_usize() - first];
        items.iter().fold(items.len() as u64, |hash, item| combine(hash, *item))
    });
    Ok(())
}

/// Types that are never keys in practice: by their row format, which is equal for equal values.
fn add_rows(hashes: &mut [u64], array: &dyn Array) -> Result<(), ArrowError> {
    let converter = RowConverter::new(vec![SortField::new(array.data_type().clone())])?;
    let rows = converter.convert_columns(&[array.slice(0, array.len())])?;
    add_values(hashes, None, |row| hash_bytes(rows.row(row).as_ref()));
    Ok(())
}

fn float_bits(value: f64) -> u64 {
    if value == 0.0 {
        0
    } else if value.is_nan() {
        f64::NAN.to_bits() & !(1 << 63)
    } else {
        value.to_bits()
    }
}

/// Appends one value to a row's hash: for a given hash, different values give different results.
#[inline]
fn combine(hash: u64, value: u64) -> u64 {
    let mut bits = hash.wrapping_mul(MULTIPLIER).rotate_left(23) ^ value;
    // The finalizer of MurmurHash3, public domain: every bit of the input reaches every bit of the output.
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    bits ^ (bits >> 33)
}

/// Eight bytes at a time, read as little-endian on every machine.
#[inline]
fn hash_bytes(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut hash = bytes.len() as u64 ^ SEED;
    for word in words {
        hash = fold(hash ^ u64::from_le_bytes(*word));
    }
    let last = match (bytes.last_chunk::<8>(), rest.len()) {
        (_, 0) => 0,
        // The bytes before the rest have been folded in already, and are shifted out.
        (Some(word), n_rest) => u64::from_le_bytes(*word) >> (64 - 8 * n_rest),
        (None, _) => short_word(rest),
    };
    fold(hash ^ last)
}

/// Up to seven bytes and zeros behind them as one word, without a copy whose length varies: where two reads overlap,
/// they agree.
#[inline]
fn short_word(bytes: &[u8]) -> u64 {
    let n_bytes = bytes.len();
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (n_bytes - 4))
        }
        _ if n_bytes == 0 => 0,
        _ => [0, n_bytes / 2, n_bytes - 1].iter().fold(0, |word, &place| word | u64::from(bytes[place]) << (8 * place)),
    }
}

#[inline]
fn fold(bits: u64) -> u64 {
    let product = u128::from(bits ^ NULL) * u128::from(MULTIPLIER);
    (product as u64) ^ ((product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Decimal128Array, Float64Array, Int32Array, Int64Array, IntervalMonthDayNanoArray, ListBuilder, StringArray,
        StringBuilder, StructArray,
    };
    use arrow::compute::cast;
    use arrow::datatypes::{Field, Int64Type, IntervalMonthDayNano};

    use super::*;

    fn hashes(array: &dyn Array) -> Vec<u64> {
        let mut hashes = Vec::new();
        hash_rows(&[array.slice(0, array.len())], array.len(), &mut hashes).unwrap();
        hashes
    }

    /// If this fails, then results of queries change.
    #[test]
    fn hashes_are_pinned() {
        let text: Vec<u64> = hashes(&StringArray::from(vec!["", "GET", "a longer text than a word"]));
        let numbers = hashes(&Int64Array::from(vec![Some(0), Some(-1), None]));
        assert_eq!([text, numbers].concat().iter().map(|hash| format!("{hash:016x}")).collect::<Vec<_>>(), PINNED,);
    }

    const PINNED: [&str; 6] = [
        "82edeaf3f0f451fb",
        "6e9d69fd71766374",
        "ab76ccef60d22cb5",
        "68e7bb8cbd676da0",
        "70c49b2ae0b9498e",
        "be9a6feac1eb8b52",
    ];

    #[test]
    fn the_last_word_is_the_rest_and_zeros() {
        let slow = |bytes: &[u8]| {
            let words = bytes.chunks(8).chain((bytes.len().is_multiple_of(8)).then_some(&[][..])).map(|chunk| {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                u64::from_le_bytes(word)
            });
            words.fold(bytes.len() as u64 ^ SEED, |hash, word| fold(hash ^ word))
        };
        let bytes: Vec<u8> = (0..40).map(|i: u8| i.wrapping_mul(151) ^ 0xe7).collect();
        for start in 0..bytes.len() {
            for end in start..=bytes.len() {
                assert_eq!(hash_bytes(&bytes[start..end]), slow(&bytes[start..end]), "{start}..{end}");
            }
        }
    }

    #[test]
    fn text_hashes_alike_in_every_layout() {
        let text: ArrayRef =
            Arc::new(StringArray::from(vec![Some(""), None, Some("short"), Some("longer than twelve bytes")]));
        let expect = hashes(&text);
        let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        let layouts = [
            DataType::LargeUtf8,
            DataType::Utf8View,
            DataType::Binary,
            DataType::LargeBinary,
            DataType::BinaryView,
            dictionary,
        ];
        for layout in layouts {
            let other = cast(&text, &layout).unwrap();
            assert_eq!(hashes(&other), expect, "{layout}");
            assert_eq!(hashes(&other.slice(1, 3)), expect[1..], "{layout} sliced");
        }
    }

    #[test]
    fn equal_numbers_hash_alike() {
        let other_nan = f64::from_bits(f64::NAN.to_bits() | (1 << 63) | 1);
        let floats = hashes(&Float64Array::from(vec![0.0, -0.0, f64::NAN, other_nan, 1.5]));
        assert_eq!(floats[0], floats[1]);
        assert_eq!(floats[2], floats[3]);
        assert_ne!(floats[0], floats[4]);
        let in_lists = |value| {
            let list = arrow::array::ListArray::from_iter_primitive::<Float64Type, _, _>([Some([Some(value)])]);
            hashes(&list)
        };
        assert_eq!(in_lists(0.0), in_lists(-0.0));
    }

    #[test]
    fn null_is_a_value_of_its_own() {
        let numbers = hashes(&Int32Array::from(vec![None, Some(0), None]));
        assert_eq!(numbers[0], numbers[2]);
        assert_ne!(numbers[0], numbers[1]);
    }

    #[test]
    fn every_type_of_key_hashes() {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter((0..100).map(|i| (i % 7 != 0).then_some(i))));
        let types = [
            DataType::Int8,
            DataType::Int16,
            DataType::UInt32,
            DataType::Float32,
            DataType::Float16,
            DataType::Decimal128(20, 2),
            DataType::Decimal256(40, 2),
            DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, None),
            DataType::Date64,
        ];
        for data_type in types {
            let column = cast(&numbers, &data_type).unwrap_or_else(|e| panic!("{data_type}: {e}"));
            let hashed = hashes(&column);
            let distinct: std::collections::HashSet<_> = hashed.iter().collect();
            assert_eq!(distinct.len(), 86, "{data_type}");
            assert_eq!(hashes(&column.slice(10, 20)), hashed[10..30], "{data_type} sliced");
        }
        let date = cast(&cast(&numbers, &DataType::Int32).unwrap(), &DataType::Date32).unwrap();
        assert_eq!(hashes(&date).len(), 100);
        let interval = IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, 2, 3); 2]);
        assert_eq!(hashes(&interval)[0], hashes(&interval)[1]);
        assert_eq!(hashes(&Decimal128Array::from(vec![5, 5]))[0], hashes(&Decimal128Array::from(vec![5]))[0]);
    }

    #[test]
    fn nested_keys_hash_by_value() {
        let mut builder = ListBuilder::new(StringBuilder::new());
        for items in [&["a", "b"][..], &["ab"], &[], &["a", "b"]] {
            items.iter().for_each(|item| builder.values().append_value(item));
            builder.append(true);
        }
        let list = builder.finish();
        let hashed = hashes(&list);
        assert_eq!(hashed[0], hashed[3]);
        assert!(hashed[0] != hashed[1] && hashed[1] != hashed[2]);
        assert_eq!(hashes(&list.slice(2, 2)), hashed[2..]);

        let field = Arc::new(Field::new("n", DataType::Int64, true));
        let numbers: ArrayRef = Arc::new(arrow::array::PrimitiveArray::<Int64Type>::from(vec![1, 1, 2]));
        let hashed = hashes(&StructArray::from(vec![(field, numbers)]));
        assert!(hashed[0] == hashed[1] && hashed[1] != hashed[2]);
    }
}
