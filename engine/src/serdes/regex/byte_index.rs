//! Where the bytes of a few sets lie in a text, found for many lines at once.
//!
//! Each set has a word for every 64 bytes of the text: a bit for each byte. All searches of a field program are
//! questions to these words, which take a few nanoseconds each, however far apart the places are; a call of `memchr`
//! for each takes several times that on the short fields of a log. The words are made for a window that holds some
//! hundred lines and stays in the processor's nearest cache.
//!
//! They are made by vector instructions where the machine has AVX2, and else in a portable way; a test makes them in
//! both.
//!
//! Source of the idea: Langdale and Lemire, "Parsing Gigabytes of JSON per Second", §3.1.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
mod set_search;

use std::ops::Range;

use self::set_search::SetSearch;
use super::byte_set::ByteSet;

/// Bytes in a chunk: as many as a word has bits.
const CHUNK: usize = u64::BITS as usize;

/// Bytes of a window, unless a line is longer.
const WINDOW_BYTES: usize = 16 << 10;

/// Sets that one index keeps. More of them cost more than they help.
const SETS_MAX: usize = 8;

/// The number of a set in its [`IndexedSets`].
pub(super) type SetIdx = usize;

/// The sets that an index is made for.
#[derive(Debug, Clone, Default)]
pub(super) struct IndexedSets(Vec<SetSearch>);

impl IndexedSets {
    /// Adds a set, or finds it if it is there. `None` if it is one too many, or no instruction can search for it.
    pub(super) fn add(&mut self, set: ByteSet) -> Option<SetIdx> {
        if let Some(set_idx) = self.0.iter().position(|known| known.set == set) {
            return Some(set_idx);
        }
        if self.0.len() == SETS_MAX {
            return None;
        }
        self.0.push(SetSearch::new(set)?);
        Some(self.0.len() - 1)
    }
}

/// How the words are made.
#[derive(Debug, Clone, Copy)]
enum Instructions {
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Default for Instructions {
    fn default() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Instructions::Avx2;
        }
        Instructions::Portable
    }
}

/// The places of some sets in a window of a text.
///
/// Places are offsets in the text. Bits behind the window mean nothing, so every search is told where to end.
#[derive(Debug, Default)]
pub(super) struct ByteIndex {
    instructions: Instructions,
    window: Range<usize>,
    /// Words of one set.
    stride: usize,
    /// Word `set * stride + 1 + chunk`. Before the window and after it there is a chunk of zeros. None if there is no
    /// window.
    words: Vec<u64>,
}

impl ByteIndex {
    /// Forgets the text: what is asked next is of another one.
    pub(super) fn forget(&mut self) {
        self.words.clear();
    }

    /// Sees to it that the window holds a part of the text.
    #[inline]
    pub(super) fn cover(&mut self, sets: &IndexedSets, text: &[u8], part: Range<usize>) {
        if self.words.is_empty() || part.start < self.window.start || part.end > self.window.end {
            self.fill(sets, text, part);
        }
    }

    #[inline(never)]
    fn fill(&mut self, sets: &IndexedSets, text: &[u8], part: Range<usize>) {
        self.window = part.start..part.end.max(text.len().min(part.start + WINDOW_BYTES));
        let text = &text[self.window.clone()];
        self.stride = text.len() / CHUNK + 3;
        self.words.clear();
        self.words.resize(sets.0.len() * self.stride, 0);
        for (words, set) in self.words.chunks_exact_mut(self.stride).zip(&sets.0) {
            let words = &mut words[1..];
            match self.instructions {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: `Avx2` is made by `Instructions::default` alone, where the machine has these instructions.
                Instructions::Avx2 => unsafe { avx2::fill(set, text, words) },
                Instructions::Portable => portable::fill(set, text, words),
            }
        }
    }

    /// The words of a set, the one before the window first.
    #[inline]
    fn words_of(&self, set: SetIdx) -> &[u64] {
        &self.words[set * self.stride..][..self.stride]
    }

    /// The first place of the set from `from` on; `end` if there is none before it.
    ///
    /// Looks at the next 64 bytes at once, wherever a chunk ends: a field is seldom longer, so that the processor
    /// foresees the branch.
    #[inline]
    pub(super) fn next(&self, set: SetIdx, from: usize, end: usize) -> usize {
        let words = self.words_of(set);
        let bits_before = from - self.window.start;
        let window = window_at(words, bits_before);
        if window != 0 {
            return end.min(from + window.trailing_zeros() as usize);
        }
        let last_chunk = (end - self.window.start) / CHUNK;
        for chunk in bits_before / CHUNK + 1..=last_chunk {
            let bits = words[1 + chunk];
            if bits != 0 {
                return end.min(self.window.start + chunk * CHUNK + bits.trailing_zeros() as usize);
            }
        }
        end
    }

    /// The last place of the set in a part of the text.
    #[inline]
    pub(super) fn last(&self, set: SetIdx, part: Range<usize>) -> Option<usize> {
        if part.is_empty() {
            return None;
        }
        let words = self.words_of(set);
        let last = part.end - 1 - self.window.start;
        let (chunk, shift) = (last / CHUNK, CHUNK - 1 - last % CHUNK);
        let window = words[1 + chunk] << shift | words[chunk] >> 1 >> (CHUNK - 1 - shift);
        let mut found = None;
        if window != 0 {
            found = Some(last - window.leading_zeros() as usize);
        } else {
            for chunk in ((part.start - self.window.start) / CHUNK..chunk).rev() {
                let bits = words[1 + chunk];
                if bits != 0 {
                    found = Some(chunk * CHUNK + CHUNK - 1 - bits.leading_zeros() as usize);
                    break;
                }
            }
        }
        found.map(|place| self.window.start + place).filter(|&place| place >= part.start)
    }

    /// The bits of the set for a part of the text, from its first byte on; bits after its last byte are 0.
    #[inline]
    pub(super) fn bits(&self, set: SetIdx, part: Range<usize>) -> impl Iterator<Item = (usize, u64)> {
        let words = self.words_of(set);
        part.clone().step_by(CHUNK).map(move |start| {
            let bits = window_at(words, start - self.window.start);
            let n_bytes = part.end - start;
            (start, if n_bytes < CHUNK { bits & ((1 << n_bytes) - 1) } else { bits })
        })
    }
}

/// 64 bits that start anywhere.
#[inline]
fn window_at(words: &[u64], n_before: usize) -> u64 {
    let (chunk, shift) = (n_before / CHUNK, n_before % CHUNK);
    words[1 + chunk] >> shift | words[2 + chunk] << 1 << (CHUNK - 1 - shift)
}

/// Calls `word_of` for each chunk of the text; the last one is filled up with zeros.
#[inline(always)]
fn for_chunks(text: &[u8], words: &mut [u64], word_of: impl Fn(&[u8; CHUNK]) -> u64) {
    let (chunks, rest) = text.as_chunks::<CHUNK>();
    for (chunk, word) in chunks.iter().zip(words.iter_mut()) {
        *word = word_of(chunk);
    }
    if !rest.is_empty() {
        let mut chunk = [0; CHUNK];
        chunk[..rest.len()].copy_from_slice(rest);
        words[chunks.len()] = word_of(&chunk);
    }
}

#[cfg(test)]
mod tests;
