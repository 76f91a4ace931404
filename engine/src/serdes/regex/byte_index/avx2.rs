//! The words of an index with AVX2, 32 bytes at a time.

use std::arch::x86_64::{
    __m256i, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16,
};

use super::set_search::Lookup;
use super::{CHUNK, IndexWork, Stripes, Word, for_chunks};

/// Bytes in half a chunk, and in a vector.
const HALF: usize = size_of::<__m256i>();

/// A chunk, or something for each of its bytes.
type Halves = [__m256i; 2];

/// Chunks whose flags are made before they are asked for the bytes of each set; they stay in the nearest cache.
const LOOKED_UP: usize = 16;

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) fn run<W: IndexWork>(work: W) -> W::Output {
    work.run()
}

/// Makes the words of a set of one byte.
#[target_feature(enable = "avx2")]
pub(super) fn find_byte(byte: u8, text: &[u8], words: &mut [Word]) {
    let byte = _mm256_set1_epi8(byte.cast_signed());
    for_chunks(text, words, |chunk| {
        let [first, last] = load_chunk(chunk);
        bits([_mm256_cmpeq_epi8(first, byte), _mm256_cmpeq_epi8(last, byte)]).to_le_bytes()
    });
}

/// Makes the words of all sets of a look-up.
#[target_feature(enable = "avx2")]
pub(super) fn look_up(lookup: &Lookup, text: &[u8], stripes: &mut Stripes<'_>) {
    let (low, high) = (in_both_halves(lookup.low), in_both_halves(lookup.high));
    let flags_of = |chunk: &[u8; CHUNK]| {
        let [first, last] = load_chunk(chunk);
        [flags(first, low, high), flags(last, low, high)]
    };
    if let [set] = lookup.sets[..] {
        let word = |chunk: &[u8; CHUNK]| set.word(without_any(flags_of(chunk), set.flags));
        return for_chunks(text, stripes.words(set.set_idx), word);
    }
    let mut flags_of_chunks = [[_mm256_setzero_si256(); 2]; LOOKED_UP];
    for (block_idx, block) in text.chunks(LOOKED_UP * CHUNK).enumerate() {
        for_chunks(block, &mut flags_of_chunks, flags_of);
        let n_chunks = block.len().div_ceil(CHUNK);
        for set in &lookup.sets {
            let words = &mut stripes.words(set.set_idx)[block_idx * LOOKED_UP..][..n_chunks];
            for (word, flags) in words.iter_mut().zip(&flags_of_chunks) {
                *word = set.word(without_any(*flags, set.flags));
            }
        }
    }
}

/// The flags of each byte; see [`Lookup`].
#[inline]
#[target_feature(enable = "avx2")]
fn flags(bytes: __m256i, low: __m256i, high: __m256i) -> __m256i {
    // A look-up takes the low four bits of a byte, and gives 0 where the highest is set.
    let high_halves = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), _mm256_set1_epi8(0x0f));
    let by_high = _mm256_shuffle_epi8(high, high_halves);
    _mm256_and_si256(_mm256_shuffle_epi8(low, bytes), by_high)
}

/// A bit for each byte that has none of some flags.
#[inline]
#[target_feature(enable = "avx2")]
fn without_any([first, last]: Halves, mask: u8) -> u64 {
    let (mask, none) = (_mm256_set1_epi8(mask.cast_signed()), _mm256_setzero_si256());
    let (first, last) = (_mm256_and_si256(first, mask), _mm256_and_si256(last, mask));
    bits([_mm256_cmpeq_epi8(first, none), _mm256_cmpeq_epi8(last, none)])
}

/// The highest bit of each byte.
#[inline]
#[target_feature(enable = "avx2")]
fn bits([first, last]: Halves) -> u64 {
    let (first, last) = (_mm256_movemask_epi8(first).cast_unsigned(), _mm256_movemask_epi8(last).cast_unsigned());
    u64::from(first) | u64::from(last) << HALF
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_chunk(chunk: &[u8; CHUNK]) -> Halves {
    match chunk.as_chunks().0 {
        [first, last] => [load(first), load(last)],
        _ => [_mm256_setzero_si256(); 2],
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
