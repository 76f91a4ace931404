//! The words of an index without any machine's own instructions.

use super::super::byte_set::ByteRange;
use super::set_search::SetSearch;
use super::{CHUNK, Word, for_chunks};

pub(super) fn fill(set: &SetSearch, text: &[u8], words: &mut [Word]) {
    for_chunks(text, words, |chunk| bits(&set.ranges, chunk).to_le_bytes());
}

/// Bit i says whether byte i is in one of the ranges.
///
/// The first loop is one that compilers make vectors of. The second takes eight bytes that are 0 or 1 as a number; the
/// product has them side by side in its highest byte.
fn bits(ranges: &[ByteRange], chunk: &[u8; CHUNK]) -> u64 {
    let mut flags = [0_u8; CHUNK];
    for range in ranges {
        for (flag, &byte) in flags.iter_mut().zip(chunk) {
            *flag |= u8::from(byte.wrapping_sub(range.first) <= range.width);
        }
    }
    let mut bits = 0;
    for (byte_idx, eight) in flags.as_chunks::<8>().0.iter().enumerate() {
        bits |= u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56 << (8 * byte_idx);
    }
    bits
}
