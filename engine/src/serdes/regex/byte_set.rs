//! Sets of characters as sets of bytes.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

/// Bytes of UTF-8. A set of characters has all bytes from 0x80 on, or none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ByteSet {
    words: [u64; 4],
}

impl ByteSet {
    /// The bytes of a set of characters; `None` if it tells characters beyond ASCII apart.
    pub(super) fn of_characters(class: &ClassUnicode) -> Option<Self> {
        let beyond = ClassUnicode::new([ClassUnicodeRange::new('\u{80}', char::MAX)]);
        let mut inside = class.clone();
        inside.intersect(&beyond);
        let mut outside = class.clone();
        outside.negate();
        outside.intersect(&beyond);
        let has_beyond = match (inside.ranges().is_empty(), outside.ranges().is_empty()) {
            (true, _) => false,
            (false, true) => true,
            (false, false) => return None,
        };
        let mut set = ByteSet { words: [0, 0, u64::MAX * u64::from(has_beyond), u64::MAX * u64::from(has_beyond)] };
        for range in class.iter() {
            for byte in u32::from(range.start())..=u32::from(range.end()).min(0x7f) {
                set.insert(byte as u8);
            }
        }
        Some(set)
    }

    pub(super) fn of_byte(byte: u8) -> Self {
        let mut set = ByteSet::default();
        set.insert(byte);
        set
    }

    pub(super) fn insert(&mut self, byte: u8) {
        self.words[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    #[inline]
    pub(super) fn contains(&self, byte: u8) -> bool {
        self.words[usize::from(byte >> 6)] >> (byte & 63) & 1 != 0
    }

    pub(super) fn union(self, other: Self) -> Self {
        ByteSet { words: std::array::from_fn(|word_idx| self.words[word_idx] | other.words[word_idx]) }
    }

    pub(super) fn complement(self) -> Self {
        ByteSet { words: self.words.map(|word| !word) }
    }

    pub(super) fn intersects(self, other: Self) -> bool {
        self.words.iter().zip(other.words).any(|(word, other)| word & other != 0)
    }

    pub(super) fn is_subset(self, other: Self) -> bool {
        !self.intersects(other.complement())
    }

    pub(super) fn has_beyond_ascii(self) -> bool {
        self.words[3] != 0
    }

    /// Without the bytes that only go on with a character.
    pub(super) fn first_bytes(self) -> Self {
        ByteSet { words: [self.words[0], self.words[1], 0, self.words[3]] }
    }

    pub(super) fn iter(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |&byte| self.contains(byte))
    }

    pub(super) fn ranges(self) -> Vec<ByteRange> {
        let mut ranges: Vec<ByteRange> = Vec::new();
        for byte in self.iter() {
            match ranges.last_mut() {
                Some(range) if range.first + range.width + 1 == byte => range.width += 1,
                _ => ranges.push(ByteRange { first: byte, width: 0 }),
            }
        }
        ranges
    }

    pub(super) fn table(self) -> Box<[bool; 256]> {
        let mut table = Box::new([false; 256]);
        self.iter().for_each(|byte| table[usize::from(byte)] = true);
        table
    }
}

/// The bytes from `first` on that are at most `width` above it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ByteRange {
    pub first: u8,
    pub width: u8,
}

/// What a part of a pattern, with all that comes after it, can begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct First {
    /// First bytes of characters.
    pub bytes: ByteSet,
    /// It can match at the end of the text.
    pub at_end: bool,
}

impl First {
    #[inline(always)]
    pub(super) fn allows(&self, text: &[u8], position: usize) -> bool {
        text.get(position).map_or(self.at_end, |&byte| self.bytes.contains(byte))
    }

    pub(super) fn union(self, other: Self) -> Self {
        First { bytes: self.bytes.union(other.bytes), at_end: self.at_end || other.at_end }
    }
}
