//! How to find the bytes of a set, and those of several sets at once.

use std::collections::BTreeMap;

use super::super::byte_set::{ByteRange, ByteSet};
use super::{SetIdx, Word};

/// A set, in the forms in which instructions search for it.
#[derive(Debug, Clone)]
pub(super) struct SetSearch {
    pub set: ByteSet,
    pub shape: Shape,
    pub ranges: Vec<ByteRange>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Byte(u8),
    /// One of the sets of a [`Lookup`].
    LookedUp(AsciiSet),
}

/// A set that has all bytes beyond ASCII, or none of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct AsciiSet {
    /// Bytes of ASCII: those of the set if it has no others, else those that it has not.
    ascii: ByteSet,
    /// All ones if these are the set.
    inside: u64,
}

impl SetSearch {
    /// `None` if it has some of the bytes beyond ASCII and not all.
    pub(super) fn new(set: ByteSet) -> Option<Self> {
        let ranges = set.ranges();
        let shape = match ranges[..] {
            [ByteRange { first, width: 0 }] => Shape::Byte(first),
            _ if set.iter().filter(|byte| !byte.is_ascii()).count() % 128 != 0 => return None,
            _ => {
                let (ascii, inside) = if set.has_beyond_ascii() { (set.complement(), 0) } else { (set, u64::MAX) };
                Shape::LookedUp(AsciiSet { ascii, inside })
            }
        };
        Some(SetSearch { set, shape, ranges })
    }
}

/// Bytes by their two halves, both of which are looked up, 32 bytes at once.
///
/// The bytes whose high half is one of some and whose low half is one of some others are a product: the digits are one,
/// the white space of ASCII is two. A flag stands for a product; a byte is in it if the tables of both halves have it.
/// So one look-up tells for several sets which bytes they have: `[0-9]`, `[-0-9]` and `[-.0-9]` take three flags.
#[derive(Debug, Clone)]
pub(super) struct Lookup {
    pub low: [u8; 16],
    /// Bytes beyond ASCII have no flags.
    pub high: [u8; 16],
    pub sets: Vec<LookedUpSet>,
}

/// A set of a look-up.
#[derive(Debug, Clone, Copy)]
pub(super) struct LookedUpSet {
    pub set_idx: SetIdx,
    /// Those of its bytes, or of the others.
    pub flags: u8,
    /// All ones if the set is the bytes with a flag, and not those without.
    inside: u64,
}

impl LookedUpSet {
    /// The word of a chunk, of whose bytes these have no flag of the set.
    pub(super) fn word(self, without_flag: u64) -> Word {
        (without_flag ^ self.inside).to_le_bytes()
    }
}

impl Lookup {
    /// Look-ups for all sets that are looked up, each set in the first into which it fits. One alone always does: it takes
    /// at most a flag for each of the eight high halves of ASCII.
    pub(super) fn for_all(searches: &[SetSearch]) -> Vec<Lookup> {
        let mut groups: Vec<(Vec<(SetIdx, AsciiSet)>, Lookup)> = Vec::new();
        for (set_idx, search) in searches.iter().enumerate() {
            let Shape::LookedUp(set) = search.shape else {
                continue;
            };
            let with_it = |sets: &[(SetIdx, AsciiSet)]| {
                let sets = [sets, &[(set_idx, set)]].concat();
                Lookup::new(&sets).map(|lookup| (sets, lookup))
            };
            match groups.iter_mut().find_map(|group| with_it(&group.0).map(|larger| (group, larger))) {
                Some((group, larger)) => *group = larger,
                None => groups.extend(with_it(&[])),
            }
        }
        groups.into_iter().map(|(_, lookup)| lookup).collect()
    }

    /// `None` if it takes more than eight flags, or there are more sets.
    fn new(sets: &[(SetIdx, AsciiSet)]) -> Option<Self> {
        if sets.len() > u8::BITS as usize {
            return None;
        }
        let unflagged = |&(set_idx, AsciiSet { inside, .. })| LookedUpSet { set_idx, flags: 0, inside };
        let mut lookup = Lookup { low: [0; 16], high: [0; 16], sets: sets.iter().map(unflagged).collect() };
        // Of each product the sets that have it, a bit for each, and its low halves.
        let mut products: Vec<(u8, u16)> = Vec::new();
        for high_half in 0..8_u8 {
            let mut low_halves_of: BTreeMap<u8, u16> = BTreeMap::new();
            for low_half in 0..16 {
                let has_byte = |(_, set): &(SetIdx, AsciiSet)| set.ascii.contains(high_half << 4 | low_half);
                let of_sets = sets.iter().rev().fold(0, |bits, set| bits << 1 | u8::from(has_byte(set)));
                *low_halves_of.entry(of_sets).or_default() |= 1 << low_half;
            }
            // What is in none of the sets needs no flag.
            low_halves_of.remove(&0);
            for product in low_halves_of {
                let product_idx = products.iter().position(|known| *known == product).unwrap_or_else(|| {
                    products.push(product);
                    products.len() - 1
                });
                lookup.high[usize::from(high_half)] |= 1_u8.checked_shl(product_idx as u32)?;
            }
        }
        for (product_idx, (of_sets, low_halves)) in products.iter().enumerate() {
            for (low_half, flags) in lookup.low.iter_mut().enumerate() {
                *flags |= u8::from(low_halves >> low_half & 1 != 0) << product_idx;
            }
            for (bit, set) in lookup.sets.iter_mut().enumerate() {
                set.flags |= (of_sets >> bit & 1) << product_idx;
            }
        }
        Some(lookup)
    }
}
