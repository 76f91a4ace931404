//! The ends of the lines of a text, in one pass over its bytes.
//!
//! To find them is all that is between reading and parsing. Logs end their lines with LF or CRLF: one pass finds the LFs
//! and sees whether there is a CR, and another one finds the CRs of the 2 KiB that have some, by AVX2 where the machine
//! has it, and else by `memchr`. A test finds them in both ways.

use memchr::{memchr, memchr_iter, memchr2};

use super::RecordRange;

/// Adds the lines that end in `text`, where the first starts at `start` and none ends before `scanned`; gives the start
/// of the line after them. A CR at the end of the text is no end yet unless the text is `at_end`, as LF may follow.
pub(super) fn find_lines(
    text: &[u8],
    start: usize,
    scanned: usize,
    at_end: bool,
    records: &mut Vec<RecordRange>,
) -> usize {
    let mut lines = Lines { text, at_end, start, records };
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("bmi1") {
        // SAFETY: the machine has these instructions.
        unsafe { avx2::find(scanned, &mut lines) }
    } else {
        find_portably(scanned, &mut lines);
    }
    #[cfg(not(target_arch = "x86_64"))]
    find_portably(scanned, &mut lines);
    lines.start
}

/// The place after the LF, CR or CRLF at `end`; `None` if the next byte is yet to be read and may belong to it.
pub(super) fn after_terminator(text: &[u8], end: usize, at_end: bool) -> Option<usize> {
    match (text[end], text.get(end + 1)) {
        (b'\r', Some(b'\n')) => Some(end + 2),
        (b'\r', None) if !at_end => None,
        _ => Some(end + 1),
    }
}

struct Lines<'a> {
    text: &'a [u8],
    at_end: bool,
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

    /// Adds the line that ends with the LF, CR or CRLF at `end`, if it does.
    #[inline(always)]
    fn add_any(&mut self, end: usize) {
        if let Some(next) = after_terminator(self.text, end, self.at_end) {
            self.add(end);
            self.start = next;
        }
    }
}

fn find_portably(scanned: usize, lines: &mut Lines<'_>) {
    let text = lines.text;
    if memchr(b'\r', &text[scanned..]).is_none() {
        memchr_iter(b'\n', &text[scanned..]).for_each(|n_after| lines.add(scanned + n_after));
        return;
    }
    let mut scanned = scanned;
    while let Some(n_after) = memchr2(b'\n', b'\r', &text[scanned..]) {
        lines.add_any(scanned + n_after);
        // Behind the CR that is no end yet, nothing comes.
        scanned = lines.start.max(scanned + n_after + 1);
    }
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

    /// As [`find_portably`].
    #[target_feature(enable = "avx2,bmi1")]
    pub(super) fn find(scanned: usize, lines: &mut Lines<'_>) {
        let (chunks, rest) = lines.text[scanned..].as_chunks();
        let mut place = scanned;
        let (mut line_feeds, mut returns) = ([0; GROUP], [0; GROUP]);
        // Whether the byte before is a CR, as a bit.
        let mut after_return = 0;
        for group in chunks.chunks(GROUP) {
            let has_return = find_line_feeds(group, &mut line_feeds);
            if !has_return && after_return == 0 {
                for word in &mut line_feeds[..group.len()] {
                    while *word != 0 {
                        lines.add(place + word.trailing_zeros() as usize);
                        *word &= *word - 1;
                    }
                    place += CHUNK;
                }
                continue;
            }
            find_returns(group, &mut returns);
            for (&line_feeds, &returns) in line_feeds.iter().zip(&returns).take(group.len()) {
                // An LF after a CR ends nothing more.
                let mut ends = returns | line_feeds & !(returns << 1 | after_return);
                after_return = returns >> (CHUNK - 1);
                while ends != 0 {
                    lines.add_any(place + ends.trailing_zeros() as usize);
                    ends &= ends - 1;
                }
                place += CHUNK;
            }
        }
        // The LF that belongs to a CR before the rest is behind it, too.
        find_portably((lines.text.len() - rest.len()).max(lines.start), lines);
    }

    /// Makes a word for each chunk: a bit for each LF. True if there is a CR.
    #[target_feature(enable = "avx2,bmi1")]
    fn find_line_feeds(chunks: &[[u8; CHUNK]], words: &mut [u64; GROUP]) -> bool {
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

    /// Makes a word for each chunk: a bit for each CR.
    #[target_feature(enable = "avx2,bmi1")]
    fn find_returns(chunks: &[[u8; CHUNK]], words: &mut [u64; GROUP]) {
        let carriage_return = _mm256_set1_epi8(b'\r' as i8);
        for (chunk, word) in chunks.iter().zip(words) {
            if let [first, last] = chunk.as_chunks::<VECTOR>().0 {
                let (first, last) = (load(first), load(last));
                *word = bits(_mm256_cmpeq_epi8(first, carriage_return))
                    | bits(_mm256_cmpeq_epi8(last, carriage_return)) << VECTOR;
            }
        }
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

    /// The lines, by a look at each byte.
    fn naive(text: &[u8], mut start: usize, scanned: usize, at_end: bool) -> (Vec<RecordRange>, usize) {
        let mut records = Vec::new();
        let mut place = scanned;
        while place < text.len() {
            let is_end = matches!(text[place], b'\n' | b'\r');
            let next = if is_end { after_terminator(text, place, at_end) } else { None };
            if let Some(next) = next {
                records.push(RecordRange { start: start as u32, end: place as u32 });
                start = next;
            }
            place = next.unwrap_or(place + 1);
        }
        (records, start)
    }

    #[test]
    fn both_ways_find_the_same_lines() {
        let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
        let byte = prop_oneof![20 => Just(b'a'), 2 => Just(b'\n'), 1 => Just(b'\r'), 1 => any::<u8>()];
        let piece = prop_oneof![4 => prop::collection::vec(byte, 0..400), 1 => Just(b"a line\r\n".to_vec())];
        let texts = (piece, prop_oneof![Just(1_usize), 2..40_usize], 0..3_u8, any::<prop::sample::Index>());
        proptest!(config, |((piece, n_times, ends, scanned) in texts, at_end: bool)| {
            let mut text = piece.repeat(n_times);
            if ends == 0 {
                text.retain(|&byte| byte != b'\r');
            } else if ends == 1 {
                // Of several groups, the second alone has CRs.
                let mut place = 0;
                text.retain(|&byte| {
                    place += 1;
                    byte != b'\r' || (2048..4096).contains(&place)
                });
            }
            let scanned = scanned.index(text.len() + 1);
            let start = scanned / 2;
            let before = RecordRange { start: 7, end: 8 };
            let mut found = vec![before];
            let next = find_lines(&text, start, scanned, at_end, &mut found);
            let mut portably = vec![before];
            let mut lines = Lines { text: &text, at_end, start, records: &mut portably };
            find_portably(scanned, &mut lines);
            prop_assert_eq!(lines.start, next);
            prop_assert_eq!(&portably, &found);
            let expect = naive(&text, start, scanned, at_end);
            prop_assert_eq!((found[1..].to_vec(), next), expect);
        });
    }
}
