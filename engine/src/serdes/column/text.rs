//! Columns of text: views of the texts where they lie.
//!
//! Arrow would check the text of each view again, which is most of what a view costs: 10 to 15 ns, against 3 without
//! (measured on texts of 3 to 60 bytes). Where the whole block was checked before, views are made of its `str` alone,
//! and that check is left out.

use std::sync::Arc;

use arrow::array::{Array as _, ArrayRef, NullBufferBuilder, StringViewArray};
use arrow::buffer::{Buffer, ScalarBuffer};
use arrow::datatypes::Field;

use super::{PackedPlace, Texts};
use crate::error::{Error, Result};
use crate::hive_type::character_limit;

/// Texts up to this length are in the view itself.
const INLINE_BYTES: usize = 12;

/// Buffers of a column: the block, and the side text.
const BLOCK: u32 = 0;
const SIDE: u32 = 1;

/// The column `field` whose fields lie at `places`. A varchar is cut and a char loses its padding, so both stay views.
pub(super) fn strings(field: &Field, places: &[PackedPlace], texts: &Texts<'_>) -> Result<ArrayRef> {
    let limit = character_limit(field);
    let (block, side) = (texts.block.as_ref(), texts.side.as_slice());
    // Whether every text that a view was made of is a `str` of this block.
    let checked = texts.checked.filter(|checked| is_at(checked.text, block, checked.start));
    let mut all_checked = checked.is_some();
    let mut views: Vec<u128> = Vec::with_capacity(places.len());
    let mut nulls = NullBufferBuilder::new(places.len());
    let (mut points_into_block, mut points_into_side) = (false, false);
    for &place in places {
        let Some(text) = texts.get(place) else {
            views.push(0);
            nulls.append_null();
            continue;
        };
        let length = limit.map_or(text.len(), |(length_max, padded)| kept_bytes(text, length_max, padded));
        let (start, is_long) = (place.start as usize, length > INLINE_BYTES);
        if place.end as usize <= block.len() {
            all_checked &= checked.is_some_and(|checked| checked.get(start..start + length).is_some());
            views.push(view(block, start, length, BLOCK));
            points_into_block |= is_long;
        } else {
            all_checked = false;
            views.push(view(side, start - block.len(), length, SIDE));
            points_into_side |= is_long;
        }
        nulls.append_non_null();
    }
    // A column of short texts holds nobody's memory.
    let mut buffers = Vec::new();
    if points_into_block || points_into_side {
        buffers.push(Buffer::from(texts.block.clone()));
    }
    if points_into_side {
        buffers.push(texts.side.clone());
    }
    let (views, nulls) = (ScalarBuffer::from(views), nulls.finish());
    let strings = if all_checked {
        // SAFETY: `is_at` has seen that the checked text is the block's bytes from its start on, and every view is of a
        // range of the block that is a `str` of that text: a short one is a copy of its bytes, and a long one has its
        // length, its first four bytes and its place in the block, which is the first buffer.
        unsafe { StringViewArray::new_unchecked(views, buffers, nulls) }
    } else {
        StringViewArray::try_new(views, buffers, nulls)
            .map_err(|e| Error::internal("a field of checked text is not UTF-8").with_source(e))?
    };
    debug_assert!(strings.to_data().validate_full().is_ok());
    Ok(Arc::new(strings))
}

/// Whether a text is the bytes of a block from `start` on, in the same memory.
fn is_at(text: &str, block: &[u8], start: usize) -> bool {
    block.get(start..start + text.len()).is_some_and(|bytes| std::ptr::eq(bytes, text.as_bytes()))
}

/// The view of a text in a buffer: its length in the lowest four bytes; then all of it if it is short, else its first
/// four bytes, the number of the buffer and the place in it.
///
/// Source: Arrow's columnar format, "Variable-size Binary View Layout".
#[inline]
fn view(buffer: &[u8], start: usize, length: usize, buffer_idx: u32) -> u128 {
    let length_bits = length as u128;
    if length > INLINE_BYTES {
        let prefix = buffer[start..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        return length_bits | u128::from(prefix) << 32 | u128::from(buffer_idx) << 64 | (start as u128) << 96;
    }
    // More than the text is read where the buffer has more, and cut off again: one load for every length.
    let bytes = match buffer[start..].first_chunk() {
        Some(bytes) => u128::from_le_bytes(*bytes),
        None => buffer[start..start + length].iter().rev().fold(0, |bytes, &byte| bytes << 8 | u128::from(byte)),
    };
    length_bits | (bytes & ((1 << (8 * length)) - 1)) << 32
}

/// Bytes of the first `length_max` characters, without trailing blanks if the type pads them anyway.
fn kept_bytes(text: &[u8], length_max: usize, padded: bool) -> usize {
    let is_first_byte = |byte: &u8| (*byte as i8) >= -0x40;
    let mut kept = text.len();
    if text.len() > length_max {
        let next_character = text.iter().enumerate().filter(|(_, byte)| is_first_byte(byte)).nth(length_max);
        kept = next_character.map_or(text.len(), |(byte_idx, _)| byte_idx);
    }
    if padded {
        kept = text[..kept].iter().rposition(|&byte| byte != b' ').map_or(0, |last| last + 1);
    }
    kept
}
