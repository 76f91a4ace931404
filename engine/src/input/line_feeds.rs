//! The lines of a text that has no carriage return, in one pass over its bytes.
//!
//! Logs end their lines with LF alone, and then finding them is all that is between reading and parsing: so one pass
//! finds the LFs and sees that there is no CR, by AVX2 where the machine has it, and else in two by `memchr`. A test
//! finds them in both ways.

use memchr::{memchr, memchr_iter};

use super::RecordRange;

/// Adds the lines that end in `text`, where the first starts at `start` and none ends before `scanned`; gives the start
/// of the line after them. `None`, and nothing added, if there is a CR from `scanned` on.
pub(super) fn find_lines(text: &[u8], start: usize, scanned: usize, records: &mut Vec<RecordRange>) -> Option<usize> {
    let n_before = records.len();
    let mut lines = Lines { start, records };
    #[cfg(target_arch = "x86_64")]
    let has_cr = if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("bmi1") {
        // SAFETY: the machine has these instructions.
        unsafe { avx2::find(text, scanned, &mut lines) }
    } else {
        find_portably(text, scanned, &mut lines)
    };
    #[cfg(not(target_arch = "x86_64"))]
    let has_cr = find_portably(text, scanned, &mut lines);
    if has_cr {
        lines.records.truncate(n_before);
        return None;
    }
    Some(lines.start)
}

struct Lines<'a> {
    /// Of the next line.
    start: usize,
    records: &'a mut Vec<RecordRange>,
}

impl Lines<'_> {
    /// Adds the line that ends with the LF at `end`.
    #[inline(always)]
    fn add(&mut self, end: usize) {
        self.records.push(RecordRange { start: self.start as u32, end: end as u32 });
        self.start = end + 1;
    }
}

/// Adds the lines, unless there is a CR: then it is true.
fn find_portably(text: &[u8], scanned: usize, lines: &mut Lines<'_>) -> bool {
    let rest = &text[scanned..];
    if memchr(b'\r', rest).is_some() {
        return true;
    }
    memchr_iter(b'\n', rest).for_each(|n_after| lines.add(scanned + n_after));
    false
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
        _mm256_setzero_si256,
    };

    use super::{Lines, find_portably};

    /// Bytes in a vector.
    const VECTOR: usize = size_of::<__m256i>();
    /// Bytes that a word has bits for.
    const CHUNK: usize = u64::BITS as usize;

    /// Chunks whose words are made before lines are made of them, so that nothing between takes the registers.
    const GROUP: usize = 32;

    /// As [`find_portably`], but some lines may have been added if there is a CR.
    #[target_feature(enable = "avx2,bmi1")]
    pub(super) fn find(text: &[u8], scanned: usize, lines: &mut Lines<'_>) -> bool {
        let (chunks, rest) = text[scanned..].as_chunks();
        let mut place = scanned;
        let mut line_feeds = [0; GROUP];
        for group in chunks.chunks(GROUP) {
            if find_in_group(group, &mut line_feeds) {
                return true;
            }
            for word in &mut line_feeds[..group.len()] {
                while *word != 0 {
                    lines.add(place + word.trailing_zeros() as usize);
                    *word &= *word - 1;
                }
                place += CHUNK;
            }
        }
        find_portably(text, text.len() - rest.len(), lines)
    }

    /// Makes a word for each chunk: a bit for each LF. True if there is a CR.
    #[target_feature(enable = "avx2,bmi1")]
    fn find_in_group(chunks: &[[u8; CHUNK]], words: &mut [u64; GROUP]) -> bool {
        let (line_feed, carriage_return) = (_mm256_set1_epi8(b'\n' as i8), _mm256_set1_epi8(b'\r' as i8));
        let mut returns = _mm256_setzero_si256();
        for (chunk, word) in chunks.iter().zip(words) {
            if let [first, last] = chunk.as_chunks::<VECTOR>().0 {
                let (first, last) = (load(first), load(last));
                let either = _mm256_or_si256(
                    _mm256_cmpeq_epi8(first, carriage_return),
                    _mm256_cmpeq_epi8(last, carriage_return),
                );
                returns = _mm256_or_si256(returns, either);
                *word = bits(_mm256_cmpeq_epi8(first, line_feed)) | bits(_mm256_cmpeq_epi8(last, line_feed)) << VECTOR;
            }
        }
        bits(returns) != 0
    }

    /// The highest bit of each byte.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn bits(bytes: __m256i) -> u64 {
        u64::from(_mm256_movemask_epi8(bytes).cast_unsigned())
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(bytes: &[u8; VECTOR]) -> __m256i {
        // SAFETY: the reference is to as many bytes as are read, and this load wants no alignment.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_ways_find_the_same_lines() {
        let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
        let byte = prop_oneof![20 => Just(b'a'), 2 => Just(b'\n'), 1 => any::<u8>()];
        let texts = (prop::collection::vec(byte, 0..400), any::<bool>(), any::<prop::sample::Index>());
        proptest!(config, |((mut text, with_returns, scanned) in texts)| {
            if !with_returns {
                text.retain(|&byte| byte != b'\r');
            }
            let scanned = scanned.index(text.len() + 1);
            let start = scanned / 2;
            let mut found = vec![RecordRange { start: 7, end: 8 }];
            let next = find_lines(&text, start, scanned, &mut found);
            let mut expect = vec![RecordRange { start: 7, end: 8 }];
            let mut lines = Lines { start, records: &mut expect };
            let has_cr = find_portably(&text, scanned, &mut lines);
            prop_assert_eq!(next, (!has_cr).then_some(lines.start));
            prop_assert_eq!(found, expect);
        });
    }
}
