//! The words of an index with AVX2, 32 bytes at a time.

use std::arch::x86_64::{
    __m256i, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16,
};

use super::set_search::{SetSearch, Shape};
use super::{CHUNK, IndexWork, for_chunks};

/// Bytes in half a chunk, and in a vector.
const HALF: usize = size_of::<__m256i>();

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn run<W: IndexWork>(work: W) -> W::Output {
    work.run()
}

#[target_feature(enable = "avx2")]
pub(super) fn fill(set: &SetSearch, text: &[u8], words: &mut [[u8; 8]]) {
    match set.shape {
        Shape::Byte(byte) => {
            let byte = _mm256_set1_epi8(byte.cast_signed());
            for_chunks(text, words, |chunk| bits(chunk, |bytes| _mm256_cmpeq_epi8(bytes, byte)));
        }
        Shape::Halves { low, high, inside } => {
            let (low, high) = (in_both_halves(low), in_both_halves(high));
            let has_no_flag = |bytes| {
                // A look-up takes the low four bits of a byte, and gives 0 where the highest is set.
                let high_halves = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), _mm256_set1_epi8(0x0f));
                let by_high = _mm256_shuffle_epi8(high, high_halves);
                let flags = _mm256_and_si256(_mm256_shuffle_epi8(low, bytes), by_high);
                _mm256_cmpeq_epi8(flags, _mm256_setzero_si256())
            };
            for_chunks(text, words, |chunk| bits(chunk, has_no_flag) ^ inside);
        }
    }
}

/// A bit for each byte of a chunk: the highest of the byte that `test` gives for it.
#[inline]
#[target_feature(enable = "avx2")]
fn bits(chunk: &[u8; CHUNK], test: impl Fn(__m256i) -> __m256i) -> u64 {
    let half = |half: &[u8; HALF]| u64::from(_mm256_movemask_epi8(test(load(half))).cast_unsigned());
    match chunk.as_chunks().0 {
        [first, last] => half(first) | half(last) << HALF,
        _ => 0,
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; HALF]) -> __m256i {
    // SAFETY: the reference is to as many bytes as are read, and this load wants no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// A table of 16 bytes where a look-up wants it: once for each half of the vector.
#[inline]
#[target_feature(enable = "avx2")]
fn in_both_halves(table: [u8; 16]) -> __m256i {
    let mut tables = [0; HALF];
    for (byte_idx, byte) in tables.iter_mut().enumerate() {
        *byte = table[byte_idx % table.len()];
    }
    load(&tables)
}
