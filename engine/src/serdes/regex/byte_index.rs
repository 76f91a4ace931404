//! Where the bytes of a few sets lie in a text, found for many lines at once.
//!
//! Each set has a bit for each byte of the text, made 64 at a time. All searches of a field program are questions to
//! these bits, which take a few nanoseconds each, however far apart the places are; a call of `memchr` for each takes
//! several times that on the short fields of a log. The bits are made for a window that holds some hundred lines and
//! stays in the processor's nearest cache.
//!
//! They are made by vector instructions where the machine has AVX2, and else in a portable way; a test makes them in
//! both.
//!
//! Source of the idea: Langdale and Lemire, "Parsing Gigabytes of JSON per Second", §3.1.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only vector instructions look up"))]
mod set_search;

use std::ops::Range;

#[cfg(target_arch = "x86_64")]
use self::set_search::Shape;
use self::set_search::{Lookup, SetSearch};
use super::byte_set::ByteSet;

/// Bytes in a chunk: as many as a word has bits.
const CHUNK: usize = u64::BITS as usize;

/// Bytes of a window, unless a line is longer.
pub(super) const WINDOW_BYTES: usize = 16 << 10;

/// Sets that one index keeps. More of them cost more than they help.
const SETS_MAX: usize = 8;

/// Bytes of a set that a search for some of them can go by.
const SPARSE_MAX: usize = 16;

/// The number of a set in its [`IndexedSets`].
pub(super) type SetIdx = usize;

/// The sets that an index is made for.
#[derive(Debug, Clone, Default)]
pub(super) struct IndexedSets {
    searches: Vec<SetSearch>,
    /// For those of the sets that are looked up.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only vector instructions look up"))]
    lookups: Vec<Lookup>,
}

impl IndexedSets {
    /// Adds a set, or finds it if it is there. `None` if it is one too many, or no instruction can search for it.
    pub(super) fn add(&mut self, set: ByteSet) -> Option<SetIdx> {
        if let Some(set_idx) = self.find(set) {
            return Some(set_idx);
        }
        if self.searches.len() == SETS_MAX {
            return None;
        }
        self.searches.push(SetSearch::new(set)?);
        self.lookups = Lookup::for_all(&self.searches);
        Some(self.searches.len() - 1)
    }

    /// The number of a set that is there.
    pub(super) fn find(&self, set: ByteSet) -> Option<SetIdx> {
        self.searches.iter().position(|known| known.set == set)
    }

    pub(super) fn set(&self, set_idx: SetIdx) -> ByteSet {
        self.searches[set_idx].set
    }

    /// The number of the smallest set that is there and holds a set, unless its bytes are everywhere in a text.
    pub(super) fn find_around(&self, set: ByteSet) -> Option<SetIdx> {
        let around = self.searches.iter().enumerate().filter(|(_, known)| set.is_subset(known.set));
        let sizes = around.map(|(set_idx, known)| (known.set.iter().count(), set_idx));
        sizes.filter(|(size, _)| *size <= SPARSE_MAX).min().map(|(_, set_idx)| set_idx)
    }
}

/// How the words are made.
#[derive(Debug, Clone, Copy)]
enum Instructions {
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

/// Work on an index that the compiler may do with the instructions that make it.
pub(super) trait IndexWork {
    type Output;

    /// Always put in line by those who implement it, or the instructions are not used.
    fn run(self) -> Self::Output;
}

impl Default for Instructions {
    fn default() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("bmi1")
            && std::arch::is_x86_feature_detected!("bmi2")
            && std::arch::is_x86_feature_detected!("lzcnt")
            && std::arch::is_x86_feature_detected!("popcnt")
        {
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
    /// Bytes of one set.
    stride: usize,
    /// A bit for each byte of the window, from the lowest of each byte on; one set after the other. Before the window
    /// there is a chunk of zeros, and after it at least one. None if there is no window.
    bits: Vec<u8>,
}

impl ByteIndex {
    /// Forgets the text: what is asked next is of another one.
    pub(super) fn forget(&mut self) {
        self.bits.clear();
    }

    /// Sees to it that the window holds a part of the text, and most likely parts after it.
    #[inline]
    pub(super) fn cover(&mut self, sets: &IndexedSets, text: &[u8], part: Range<usize>) {
        if !self.covers(&part) {
            let window_end = part.end.max(text.len().min(part.start + WINDOW_BYTES));
            self.fill(sets, text, part.start..window_end);
        }
    }

    /// Sees to it that the window holds a part of the text, and no more if it has to be made.
    pub(super) fn cover_only(&mut self, sets: &IndexedSets, text: &[u8], part: Range<usize>) {
        if !self.covers(&part) {
            self.fill(sets, text, part);
        }
    }

    #[inline]
    fn covers(&self, part: &Range<usize>) -> bool {
        !self.bits.is_empty() && self.window.start <= part.start && part.end <= self.window.end
    }

    #[inline(never)]
    fn fill(&mut self, sets: &IndexedSets, text: &[u8], window: Range<usize>) {
        self.window = window;
        let text = &text[self.window.clone()];
        let n_chunks = text.len().div_ceil(CHUNK);
        self.stride = (n_chunks + 3) * size_of::<u64>();
        self.bits.resize(sets.searches.len() * self.stride, 0);
        for bits in self.bits.chunks_exact_mut(self.stride) {
            let words = bits.as_chunks_mut().0;
            words[0] = Word::default();
            words[1 + n_chunks..].fill(Word::default());
        }
        let mut stripes = Stripes { bits: &mut self.bits, stride: self.stride };
        match self.instructions {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2 => {
                for (set_idx, search) in sets.searches.iter().enumerate() {
                    if let Shape::Byte(byte) = search.shape {
                        // SAFETY: `Avx2` is made by `Instructions::default` alone, where the machine has these instructions.
                        unsafe { avx2::find_byte(byte, text, stripes.words(set_idx)) }
                    }
                }
                for lookup in &sets.lookups {
                    // SAFETY: as above.
                    unsafe { avx2::look_up(lookup, text, &mut stripes) }
                }
            }
            Instructions::Portable => {
                for (set_idx, search) in sets.searches.iter().enumerate() {
                    portable::fill(search, text, stripes.words(set_idx));
                }
            }
        }
    }

    /// Does work with the instructions that the index is made with.
    pub(super) fn run<W: IndexWork>(&self, work: W) -> W::Output {
        match self.instructions {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Avx2` is made by `Instructions::default` alone, where the machine has these instructions.
            Instructions::Avx2 => unsafe { avx2::run(work) },
            Instructions::Portable => work.run(),
        }
    }

    /// The places of one set.
    #[inline(always)]
    pub(super) fn places(&self, set: SetIdx) -> Places<'_> {
        Places { bits: &self.bits[set * self.stride..][..self.stride], window_start: self.window.start }
    }
}

/// The bits of 64 bytes of a text, from the lowest of each byte on.
type Word = [u8; size_of::<u64>()];

/// The bits of each set, as words to be made.
struct Stripes<'a> {
    bits: &'a mut [u8],
    stride: usize,
}

impl Stripes<'_> {
    /// The words of a set from that of the first chunk on.
    fn words(&mut self, set: SetIdx) -> &mut [Word] {
        &mut self.bits[set * self.stride..][..self.stride].as_chunks_mut().0[1..]
    }
}

/// The places of one set in the window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'a> {
    bits: &'a [u8],
    window_start: usize,
}

impl Places<'_> {
    /// The word that starts with the bits of eight bytes of the window, the byte at `n_before` among them.
    #[inline(always)]
    fn word(&self, n_before: usize) -> u64 {
        let at = size_of::<u64>() + n_before / 8;
        self.bits[at..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word))
    }

    /// The bits of the next 57 bytes or more, the first of them that of `from`; and where those start that come next.
    #[inline(always)]
    pub(super) fn ahead(&self, from: usize) -> (u64, usize) {
        let n_before = from - self.window_start;
        (self.word(n_before) >> (n_before % 8), from + CHUNK - n_before % 8)
    }

    /// The first place from `from` on; `end` if there is none before it.
    ///
    /// Looks at the next 57 bytes or more at once: a field is seldom longer, so that the processor foresees the branch.
    #[inline(always)]
    pub(super) fn next(&self, from: usize, end: usize) -> usize {
        let n_before = from - self.window_start;
        let word = self.word(n_before) >> (n_before % 8);
        if word != 0 { end.min(from + word.trailing_zeros() as usize) } else { self.next_far(n_before, end) }
    }

    #[inline(never)]
    fn next_far(&self, n_before: usize, end: usize) -> usize {
        let n_before_end = end - self.window_start;
        let mut words = (n_before / 8 * 8 + CHUNK..n_before_end).step_by(CHUNK).map(|start| (start, self.word(start)));
        let found = words.find(|(_, word)| *word != 0);
        found.map_or(end, |(start, word)| end.min(self.window_start + start + word.trailing_zeros() as usize))
    }

    /// The last place in a part of the text.
    #[inline(always)]
    pub(super) fn last(&self, part: Range<usize>) -> Option<usize> {
        if part.is_empty() {
            return None;
        }
        let last = part.end - 1 - self.window_start;
        // The word that ends with the bits of the eight bytes among which the last one is; it may start in the zeros.
        let word =
            self.bits[last / 8 + 1..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word)) << (7 - last % 8);
        if word != 0 {
            let place = self.window_start + last - word.leading_zeros() as usize;
            return (place >= part.start).then_some(place);
        }
        self.last_far(last, part.start)
    }

    /// The place in a part of the text behind which there are `n - 1` more. `n` is not 0.
    pub(super) fn nth_last(&self, part: Range<usize>, n: usize) -> Option<usize> {
        let (mut end, mut n_left) = (part.end, n as u32);
        while end > part.start {
            // The words are those of `words`, so that none has to be shifted but the first.
            let start = part.start.max(end.saturating_sub(CHUNK - 7));
            let (first, mut word) = self.words(start..end).next()?;
            let n_here = word.count_ones();
            if n_here >= n_left {
                for _ in n_left..n_here {
                    word &= word - 1;
                }
                return Some(first + word.trailing_zeros() as usize);
            }
            n_left -= n_here;
            end = start;
        }
        None
    }

    #[inline(never)]
    fn last_far(&self, last: usize, start: usize) -> Option<usize> {
        let first = start - self.window_start;
        let mut end = last / 8 * 8 + 8;
        while end > first + CHUNK {
            end -= CHUNK;
            let word = self.bits[end / 8..].first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
            if word != 0 {
                let place = self.window_start + end - 1 - word.leading_zeros() as usize;
                return (place >= start).then_some(place);
            }
        }
        None
    }

    /// The bits of a part of the text, each word with the place of its first bit, which may lie before the part; bits
    /// outside of the part are 0.
    #[inline(always)]
    pub(super) fn words(&self, part: Range<usize>) -> impl Iterator<Item = (usize, u64)> {
        let n_outside = (part.start - self.window_start) % 8;
        let mut start = part.start - n_outside;
        let mut inside = u64::MAX << n_outside;
        std::iter::from_fn(move || {
            if start >= part.end {
                return None;
            }
            let n_bytes = part.end - start;
            if n_bytes < CHUNK {
                inside &= (1 << n_bytes) - 1;
            }
            let word = (start, self.word(start - self.window_start) & inside);
            start += CHUNK;
            inside = u64::MAX;
            Some(word)
        })
    }
}

/// Makes something of each chunk of the text; the last one is filled up with zeros.
#[inline(always)]
fn for_chunks<T>(text: &[u8], made: &mut [T], make: impl Fn(&[u8; CHUNK]) -> T) {
    let (chunks, rest) = text.as_chunks::<CHUNK>();
    for (chunk, made) in chunks.iter().zip(made.iter_mut()) {
        *made = make(chunk);
    }
    if !rest.is_empty() {
        let mut chunk = [0; CHUNK];
        chunk[..rest.len()].copy_from_slice(rest);
        made[chunks.len()] = make(&chunk);
    }
}

#[cfg(test)]
mod tests;
