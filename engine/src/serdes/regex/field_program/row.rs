//! Rows of runs with separators between them, split by counting.
//!
//! A row is `X1 S X2 S … Xk S`: each X is a run (`[^ ]+`), each S one or more characters of one set (`\s+`), and after
//! the row comes the rest of the pattern. An X may hold characters of S, so the pattern alone does not say where a field
//! ends. Let the row start at `start`, and let the rest of the pattern need a byte, say `(`: then the rest begins at the
//! last `(` of the text or before it. Call that place the bound; it is the end of the text if the rest needs no byte.
//!
//! *If there are exactly k characters of S between start and bound, every match splits the row in the same way.* Each of
//! the k separators takes at least one of those characters, no two take the same, and they lie in order; so separator i
//! is the i-th of them, and field i is what lies between. It remains to check that each field is long enough and made of
//! its set. *With fewer than k, there is no match.* With more, counting says nothing.
//!
//! This needs no assumption on what comes before, and none on greed: whatever is tried first, there is but one way. A
//! possessive run is something else, since it takes its separator and gives nothing back; it is in no row.

use std::ops::Range;

use memchr::memrchr;

use super::super::byte_set::ByteSet;

#[derive(Debug, Clone)]
pub(super) struct Row {
    separators: Separators,
    /// One for each field.
    may_be_empty: Box<[bool]>,
    /// Fields that not all bytes but separators can be in, and whether a byte can.
    checked: Box<[(usize, Box<[bool; 256]>)]>,
    /// Fields that are asked for, and the slots of their starts.
    saved: Box<[(usize, usize)]>,
    /// So many separators have to be known by their places, the first ones; the others are only counted.
    n_places: usize,
    /// A byte that the rest of the pattern needs.
    needed_after: Option<u8>,
}

/// One run of a row, as the pattern has it.
pub(super) struct RowField {
    pub may_be_empty: bool,
    pub set: ByteSet,
    /// Slots of the groups that are this run, if they are asked for.
    pub slots: Vec<usize>,
}

/// What counting says of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Split {
    /// The row ends here, after its last separator.
    At(usize),
    Impossible,
    Unknown,
}

impl Row {
    /// `None` if separators of this set cannot be counted as bytes.
    pub(super) fn new(separators: ByteSet, fields: &[RowField], needed_after: Option<u8>) -> Option<Self> {
        let saved = fields
            .iter()
            .enumerate()
            .flat_map(|(field_idx, field)| field.slots.iter().map(move |&slot| (field_idx, slot)));
        let saved: Box<[_]> = saved.collect();
        let others = separators.complement();
        let checked = fields.iter().enumerate().filter(|(_, field)| !others.is_subset(field.set));
        let checked: Box<[_]> = checked.map(|(field_idx, field)| (field_idx, field.set.table())).collect();
        let may_be_empty: Box<[bool]> = fields.iter().map(|field| field.may_be_empty).collect();
        let n_places = if may_be_empty.contains(&true) {
            fields.len()
        } else {
            let looked_at =
                saved.iter().map(|(field_idx, _)| field_idx).chain(checked.iter().map(|(field_idx, _)| field_idx));
            looked_at.max().map_or(0, |last| last + 1)
        };
        Some(Row { separators: Separators::new(separators)?, may_be_empty, checked, saved, n_places, needed_after })
    }

    /// Splits the row that starts at `start`; `places` then begins with the places of its first separators.
    pub(super) fn split(&self, text: &[u8], start: usize, places: &mut Vec<usize>) -> Split {
        let bound = match self.needed_after {
            None => text.len(),
            Some(byte) => match memrchr(byte, &text[start..]) {
                None => return Split::Impossible,
                Some(offset) => start + offset,
            },
        };
        places.clear();
        let count = self.separators.count(text, start..bound, self.n_places, places);
        let n_fields = self.may_be_empty.len();
        if count.n_separators != n_fields {
            return if count.n_separators < n_fields { Split::Impossible } else { Split::Unknown };
        }
        if (count.has_empty_field && !self.empty_fields_may_be(start, places))
            || !self.is_made_of_sets(text, start, places)
        {
            return Split::Impossible;
        }
        Split::At(count.end)
    }

    /// The field whose separator is at `places[field_idx]`.
    fn field(field_idx: usize, start: usize, places: &[usize]) -> Range<usize> {
        let field_start = if field_idx == 0 { start } else { places[field_idx - 1] + 1 };
        field_start..places[field_idx]
    }

    #[cold]
    fn empty_fields_may_be(&self, start: usize, places: &[usize]) -> bool {
        // If no field may be empty, not all places are known.
        places.len() == self.may_be_empty.len()
            && self
                .may_be_empty
                .iter()
                .enumerate()
                .all(|(field_idx, &may_be_empty)| may_be_empty || !Self::field(field_idx, start, places).is_empty())
    }

    fn is_made_of_sets(&self, text: &[u8], start: usize, places: &[usize]) -> bool {
        self.checked.iter().all(|(field_idx, table)| {
            text[Self::field(*field_idx, start, places)].iter().all(|&byte| table[usize::from(byte)])
        })
    }

    /// Gives the slots of the fields that are asked for, and where the fields lie.
    pub(super) fn saved(&self, start: usize, places: &[usize], mut save: impl FnMut(usize, Range<usize>)) {
        for &(field_idx, slot) in &self.saved {
            save(slot, Self::field(field_idx, start, places));
        }
    }
}

/// A set of ASCII as ranges, for a search that compares many bytes at once.
#[derive(Debug, Clone)]
enum Separators {
    One([ByteRange; 1]),
    Two([ByteRange; 2]),
    Four([ByteRange; 4]),
}

/// The bytes from `first` on that are at most `width` above it.
#[derive(Debug, Clone, Copy)]
struct ByteRange {
    first: u8,
    width: u8,
}

/// Bytes that are compared at once: as many as a word has bits.
const CHUNK: usize = u64::BITS as usize;

impl Separators {
    fn new(set: ByteSet) -> Option<Self> {
        if set.has_beyond_ascii() {
            return None;
        }
        let mut ranges: Vec<ByteRange> = Vec::new();
        for byte in set.iter() {
            match ranges.last_mut() {
                Some(range) if range.first + range.width + 1 == byte => range.width += 1,
                _ => ranges.push(ByteRange { first: byte, width: 0 }),
            }
        }
        Some(match ranges[..] {
            [a] => Separators::One([a]),
            [a, b] => Separators::Two([a, b]),
            [a, b, c] => Separators::Four([a, b, c, c]),
            [a, b, c, d] => Separators::Four([a, b, c, d]),
            _ => return None,
        })
    }

    /// Counts the separators in `range`, and adds the places of the first `n_places` to `places`.
    fn count(&self, text: &[u8], range: Range<usize>, n_places: usize, places: &mut Vec<usize>) -> Count {
        match self {
            Separators::One(ranges) => count(ranges, text, range, n_places, places),
            Separators::Two(ranges) => count(ranges, text, range, n_places, places),
            Separators::Four(ranges) => count(ranges, text, range, n_places, places),
        }
    }
}

struct Count {
    n_separators: usize,
    /// A separator stands at the start, or right after another.
    has_empty_field: bool,
    /// The place after the last separator.
    end: usize,
}

fn count<const N: usize>(
    ranges: &[ByteRange; N],
    text: &[u8],
    range: Range<usize>,
    n_places: usize,
    places: &mut Vec<usize>,
) -> Count {
    let mut count = Count { n_separators: 0, has_empty_field: false, end: range.start };
    let mut before = 1;
    let mut chunk_start = range.start;
    while chunk_start < range.end {
        let rest = &text[chunk_start..];
        let mut bits = match rest.first_chunk::<CHUNK>() {
            Some(chunk) => separator_bits(ranges, chunk),
            None => {
                let mut chunk = [0; CHUNK];
                chunk[..rest.len()].copy_from_slice(rest);
                separator_bits(ranges, &chunk)
            }
        };
        let len = range.end - chunk_start;
        if len < CHUNK {
            bits &= (1 << len) - 1;
        }
        count.n_separators += bits.count_ones() as usize;
        count.has_empty_field |= bits & (bits << 1 | before) != 0;
        before = bits >> (CHUNK - 1);
        if bits != 0 {
            count.end = chunk_start + CHUNK - bits.leading_zeros() as usize;
        }
        while bits != 0 && places.len() < n_places {
            places.push(chunk_start + bits.trailing_zeros() as usize);
            bits &= bits - 1;
        }
        chunk_start += CHUNK;
    }
    count
}

/// Bit i says whether byte i is in one of the ranges.
///
/// The first loop is one that compilers make vectors of. The second takes eight bytes that are 0 or 1 as a number; the
/// product has them side by side in its highest byte.
#[inline]
fn separator_bits<const N: usize>(ranges: &[ByteRange; N], chunk: &[u8; CHUNK]) -> u64 {
    let mut flags = [0_u8; CHUNK];
    for (flag, &byte) in flags.iter_mut().zip(chunk) {
        for range in ranges {
            *flag |= u8::from(byte.wrapping_sub(range.first) <= range.width);
        }
    }
    let mut bits = 0;
    for (byte_idx, eight) in flags.as_chunks::<8>().0.iter().enumerate() {
        bits |= u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56 << (8 * byte_idx);
    }
    bits
}
