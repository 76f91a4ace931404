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

use super::super::byte_index::{ByteIndex, IndexedSets, Places, SetIdx};
use super::super::byte_set::ByteSet;

#[derive(Debug, Clone)]
pub(super) struct Row {
    separators: SetIdx,
    /// One for each field.
    may_be_empty: Box<[bool]>,
    /// Fields that not all bytes but separators can be in, and whether a byte can.
    checked: Box<[(RowField, Box<[bool; 256]>)]>,
    /// Fields that are asked for, and the slots of their starts.
    saved: Box<[(usize, RowField)]>,
    /// So many separators have to be known by their places, the first ones; the others are only counted.
    n_places: usize,
    /// A byte that the rest of the pattern needs.
    needed_after: Option<SetIdx>,
}

/// One run of a row, as the pattern has it.
pub(super) struct RowRun {
    pub may_be_empty: bool,
    pub set: ByteSet,
    /// Slots of the groups that are this run, if they are asked for.
    pub slots: Vec<usize>,
}

/// The number of a field in its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowField(usize);

/// What a row is split by.
#[derive(Clone, Copy)]
pub(super) struct RowIndex<'a> {
    separators: Places<'a>,
    needed_after: Option<Places<'a>>,
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
    /// `None` if the separators cannot be in the index.
    pub(super) fn new(
        separators: ByteSet,
        runs: &[RowRun],
        needed_after: Option<u8>,
        sets: &mut IndexedSets,
    ) -> Option<Self> {
        // A character beyond ASCII has several bytes.
        if separators.has_beyond_ascii() {
            return None;
        }
        let fields = || runs.iter().enumerate().map(|(field_idx, run)| (RowField(field_idx), run));
        let saved: Box<[_]> =
            fields().flat_map(|(field, run)| run.slots.iter().map(move |&slot| (slot, field))).collect();
        let others = separators.complement();
        let checked = fields().filter(|(_, run)| !others.is_subset(run.set));
        let checked: Box<[_]> = checked.map(|(field, run)| (field, run.set.table())).collect();
        let may_be_empty: Box<[bool]> = runs.iter().map(|run| run.may_be_empty).collect();
        let n_places = if may_be_empty.contains(&true) {
            runs.len()
        } else {
            let looked_at = saved.iter().map(|(_, field)| field).chain(checked.iter().map(|(field, _)| field));
            looked_at.max().map_or(0, |last| last.0 + 1)
        };
        let separators = sets.add(separators)?;
        let needed_after = needed_after.and_then(|byte| sets.add(ByteSet::of_byte(byte)));
        Some(Row { separators, may_be_empty, checked, saved, n_places, needed_after })
    }

    /// Where the row's separators lie, and the byte that is needed after it.
    pub(super) fn index<'a>(&self, index: &'a ByteIndex) -> RowIndex<'a> {
        RowIndex {
            separators: index.places(self.separators),
            needed_after: self.needed_after.map(|needed| index.places(needed)),
        }
    }

    /// Splits the row that starts at `start` in a line that goes on to the end of `text`; `places` then holds the places
    /// of the row's first separators.
    #[inline(always)]
    pub(super) fn split(&self, text: &[u8], index: &RowIndex<'_>, start: usize, places: &mut Vec<usize>) -> Split {
        places.clear();
        let n_fields = self.may_be_empty.len();
        let (mut n_left, mut has_empty_field) = (n_fields, false);
        // A bit right after each separator of the word before, and at the start.
        let mut after = None;
        let mut words = index.separators.words(start..text.len());
        let (end, mut others) = loop {
            let Some((first, word)) = words.next() else {
                return Split::Impossible;
            };
            let n_here = word.count_ones() as usize;
            let mut others = 0;
            if n_here >= n_left {
                others = word;
                for _ in 0..n_left {
                    others &= others - 1;
                }
            }
            let in_row = word ^ others;
            has_empty_field |= in_row & (in_row << 1 | after.unwrap_or_else(|| 1 << (start - first))) != 0;
            let mut separators = in_row;
            while separators != 0 && places.len() < self.n_places {
                places.push(first + separators.trailing_zeros() as usize);
                separators &= separators - 1;
            }
            if n_here >= n_left {
                let end = first + (u64::BITS - in_row.leading_zeros()) as usize;
                break (end, (first, others));
            }
            n_left -= n_here;
            after = Some(word >> (u64::BITS - 1));
        };
        // More of them say nothing only where no match has its row: behind the byte that the rest needs.
        while others.1 == 0 {
            match words.next() {
                Some(word) => others = word,
                None => break,
            }
        }
        if others.1 != 0 {
            let next = others.0 + others.1.trailing_zeros() as usize;
            let bound = match &index.needed_after {
                None => text.len(),
                Some(needed) => match needed.last(start..text.len()) {
                    None => return Split::Impossible,
                    Some(place) => place,
                },
            };
            if next < bound {
                return Split::Unknown;
            }
        }
        if (has_empty_field && !self.empty_fields_may_be(start, places)) || !self.is_made_of_sets(text, start, places) {
            return Split::Impossible;
        }
        Split::At(end)
    }

    #[cold]
    fn empty_fields_may_be(&self, start: usize, places: &[usize]) -> bool {
        let is_empty = |field_idx: usize| {
            let (start, end) = RowField(field_idx).range(start, places);
            start == end
        };
        // If no field may be empty, not all places are known.
        places.len() == self.may_be_empty.len()
            && self.may_be_empty.iter().enumerate().all(|(field_idx, &may_be)| may_be || !is_empty(field_idx))
    }

    fn is_made_of_sets(&self, text: &[u8], start: usize, places: &[usize]) -> bool {
        self.checked.iter().all(|(field, table)| {
            let (start, end) = field.range(start, places);
            text[start..end].iter().all(|&byte| table[usize::from(byte)])
        })
    }

    /// The fields that are asked for, each with the slot of its start.
    pub(super) fn saved(&self) -> &[(usize, RowField)] {
        &self.saved
    }
}

impl RowField {
    /// Where the field starts and ends in a row that starts at `start` and has its separators at `places`.
    #[inline]
    pub(super) fn range(self, start: usize, places: &[usize]) -> (usize, usize) {
        let field_start = if self.0 == 0 { start } else { places[self.0 - 1] + 1 };
        (field_start, places[self.0])
    }
}
