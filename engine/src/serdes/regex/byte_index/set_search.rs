//! How to find the bytes of one set.

use super::super::byte_set::{ByteRange, ByteSet};

/// A set, in the forms in which instructions search for it.
#[derive(Debug, Clone)]
pub(super) struct SetSearch {
    pub set: ByteSet,
    pub shape: Shape,
    pub ranges: Vec<ByteRange>,
}

#[derive(Debug, Clone)]
pub(super) enum Shape {
    Byte(u8),
    /// Bytes by their two halves, both of which are looked up, 32 bytes at once.
    ///
    /// The bytes whose high half is one of some and whose low half is one of some others are a product: the digits are
    /// one, the white space of ASCII is two. A flag stands for a product; a byte is in it if the tables of both halves
    /// have it.
    Halves {
        low: [u8; 16],
        /// Bytes beyond ASCII have no flags.
        high: [u8; 16],
        /// All ones if the set is the bytes with a flag, and not those without.
        inside: u64,
    },
}

impl SetSearch {
    /// `None` if it takes more products than there are flags, or has some of the bytes beyond ASCII and not all.
    pub(super) fn new(set: ByteSet) -> Option<Self> {
        let ranges = set.ranges();
        let shape = match ranges[..] {
            [ByteRange { first, width: 0 }] => Shape::Byte(first),
            _ if set.iter().filter(|byte| !byte.is_ascii()).count() % 128 != 0 => return None,
            _ => halves(set)?,
        };
        Some(SetSearch { set, shape, ranges })
    }
}

fn halves(set: ByteSet) -> Option<Shape> {
    let (ascii, inside) = if set.has_beyond_ascii() { (set.complement(), 0) } else { (set, u64::MAX) };
    let (mut low, mut high) = ([0; 16], [0; 16]);
    // The low halves of each product, with the flag in its place.
    let mut products: Vec<u16> = Vec::new();
    for high_half in 0..8_u8 {
        let low_halves = (0..16).filter(|low_half| ascii.contains(high_half << 4 | low_half));
        let low_halves = low_halves.fold(0_u16, |halves, half| halves | 1 << half);
        if low_halves == 0 {
            continue;
        }
        let product_idx = products.iter().position(|&known| known == low_halves).unwrap_or_else(|| {
            products.push(low_halves);
            products.len() - 1
        });
        high[usize::from(high_half)] |= 1_u8.checked_shl(product_idx as u32)?;
    }
    for (product_idx, low_halves) in products.iter().enumerate() {
        for (low_half, flags) in low.iter_mut().enumerate() {
            *flags |= u8::from(low_halves >> low_half & 1 != 0) << product_idx;
        }
    }
    Some(Shape::Halves { low, high, inside })
}
