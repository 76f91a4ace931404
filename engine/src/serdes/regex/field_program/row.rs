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
    fields: Box<[Field]>,
    /// A byte that the rest of the pattern needs.
    needed_after: Option<u8>,
    /// Fields that are asked for, and the slots of their starts.
    saved: Box<[(usize, usize)]>,
}

/// One run of a row, as the pattern has it.
pub(super) struct RowField {
    pub may_be_empty: bool,
    pub set: ByteSet,
    /// Slots of the groups that are this run, if they are asked for.
    pub slots: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Field {
    may_be_empty: bool,
    /// Whether a byte belongs to the field; `None` if all bytes do that are no separators.
    table: Option<Box<[bool; 256]>>,
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
        let fields_of_row = fields.iter().map(|field| Field {
            may_be_empty: field.may_be_empty,
            table: (!separators.complement().is_subset(field.set)).then(|| field.set.table()),
        });
        Some(Row {
            separators: Separators::new(separators)?,
            saved: saved.collect(),
            fields: fields_of_row.collect(),
            needed_after,
        })
    }

    /// Splits the row that starts at `start`; `places` then has the places of its separators.
    pub(super) fn split(&self, text: &[u8], start: usize, places: &mut Vec<usize>) -> Split {
        let bound = match self.needed_after {
            None => text.len(),
            Some(byte) => match memrchr(byte, &text[start..]) {
                None => return Split::Impossible,
                Some(offset) => start + offset,
            },
        };
        let n_fields = self.fields.len();
        places.clear();
        self.separators.find(text, start..bound, n_fields + 1, places);
        if places.len() != n_fields {
            return if places.len() < n_fields { Split::Impossible } else { Split::Unknown };
        }
        let mut field_start = start;
        for (field, &place) in self.fields.iter().zip(&*places) {
            let is_made_of_set = match &field.table {
                None => true,
                Some(table) => text[field_start..place].iter().all(|&byte| table[usize::from(byte)]),
            };
            if !is_made_of_set || (place == field_start && !field.may_be_empty) {
                return Split::Impossible;
            }
            field_start = place + 1;
        }
        Split::At(field_start)
    }

    /// Gives the slots of the fields that are asked for, and where the fields lie.
    pub(super) fn saved(&self, start: usize, places: &[usize], mut save: impl FnMut(usize, Range<usize>)) {
        for &(field_idx, slot) in &self.saved {
            let field_start = if field_idx == 0 { start } else { places[field_idx - 1] + 1 };
            save(slot, field_start..places[field_idx]);
        }
    }
}

/// A set of ASCII as ranges, for a search that compares many bytes at once.
#[derive(Debug, Clone)]
enum Separators {
    One([Range1; 1]),
    Two([Range1; 2]),
    Four([Range1; 4]),
}

/// The bytes from `first` on that are at most `width` above it.
#[derive(Debug, Clone, Copy)]
struct Range1 {
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
        let mut ranges: Vec<Range1> = Vec::new();
        for byte in set.iter() {
            match ranges.last_mut() {
                Some(range) if range.first + range.width + 1 == byte => range.width += 1,
                _ => ranges.push(Range1 { first: byte, width: 0 }),
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

    /// Adds the places of separators in `range`, and stops some time after there are `enough`.
    fn find(&self, text: &[u8], range: Range<usize>, enough: usize, places: &mut Vec<usize>) {
        match self {
            Separators::One(ranges) => find(ranges, text, range, enough, places),
            Separators::Two(ranges) => find(ranges, text, range, enough, places),
            Separators::Four(ranges) => find(ranges, text, range, enough, places),
        }
    }
}

fn find<const N: usize>(
    ranges: &[Range1; N],
    text: &[u8],
    range: Range<usize>,
    enough: usize,
    places: &mut Vec<usize>,
) {
    let mut chunk_start = range.start;
    while chunk_start < range.end && places.len() < enough {
        let len = (range.end - chunk_start).min(CHUNK);
        let mut bits = match text[chunk_start..].first_chunk::<CHUNK>() {
            Some(chunk) => separator_bits(ranges, chunk),
            None => {
                let mut chunk = [0; CHUNK];
                let rest = &text[chunk_start..];
                chunk[..rest.len()].copy_from_slice(rest);
                separator_bits(ranges, &chunk)
            }
        };
        if len < CHUNK {
            bits &= (1 << len) - 1;
        }
        while bits != 0 {
            places.push(chunk_start + bits.trailing_zeros() as usize);
            bits &= bits - 1;
        }
        chunk_start += CHUNK;
    }
}

/// Bit i says whether byte i is in one of the ranges.
///
/// The first loop is one that compilers make vectors of. The second takes eight bytes that are 0 or 1 as a number; the
/// product has them side by side in its highest byte.
fn separator_bits<const N: usize>(ranges: &[Range1; N], chunk: &[u8; CHUNK]) -> u64 {
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
