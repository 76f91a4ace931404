//! A field with a tail: `([^ ]*):([0-9]*) `, an address and its port.
//!
//! The field takes all characters of the tail and the one that separates them, but not the byte after both. So that byte
//! is the first that the field cannot hold; and the tail cannot hold what separates it, which is therefore the last
//! byte before it that is none of the tail's. There is but one way to match it.

use super::super::byte_index::{ByteIndex, IndexedSets, SetIdx};
use super::super::byte_set::ByteSet;
use super::{Follow, Run, RunEnd, Step, StepIdx};

#[derive(Debug, Clone)]
pub(super) struct TailedField {
    /// The bytes that the field cannot hold, tail included.
    outside: SetIdx,
    /// The bytes that the tail cannot hold.
    outside_tail: SetIdx,
    separators: ByteSet,
    /// The byte after the tail.
    pub end: u8,
    /// Bytes of both at least.
    min: usize,
    min_tail: usize,
    /// Slots, each with the number of its bound. Each slot once.
    pub saved: Vec<(usize, usize)>,
}

/// Where the field starts and ends, and where its tail does.
pub(super) type TailedFieldBounds = [usize; 4];

impl TailedField {
    /// Finds the field that starts at `position`, in a line that ends with the text. The next step starts behind the
    /// byte after the last bound.
    #[inline(always)]
    pub(super) fn find(&self, text: &[u8], index: &ByteIndex, position: usize) -> Option<TailedFieldBounds> {
        let (outside, outside_tail) = (index.places(self.outside), index.places(self.outside_tail));
        let (ends, _) = outside.ahead(position);
        let (separator, end) = if ends == 0 {
            let end = outside.next(position, text.len());
            (outside_tail.last(position..end)?, end)
        } else {
            // Both lie in one word, but for long fields.
            let n_before_end = ends.trailing_zeros();
            let before_end = outside_tail.ahead(position).0 & !(u64::MAX << n_before_end);
            (position + before_end.checked_ilog2()? as usize, position + n_before_end as usize)
        };
        let is_one = text.get(end) == Some(&self.end)
            && self.separators.contains(text[separator])
            && separator >= position + self.min
            && end > separator + self.min_tail;
        is_one.then_some([position, separator, separator + 1, end])
    }

    /// A run of any number of bytes of a set, or of at least one, with the steps that follow it, if these make it such
    /// a field; and the step after it.
    pub(super) fn new(
        of_field: ByteSet,
        min: usize,
        steps: &[Step],
        next: StepIdx,
        sets: &mut IndexedSets,
    ) -> Option<(Self, StepIdx)> {
        let (saved_end, next) = match steps[next] {
            Step::Save { slot, next } if slot % 2 == 1 => (Some(slot), next),
            _ => (None, next),
        };
        let (separators, tail) = match &steps[next] {
            Step::Literal { literal, next } if literal.len() == 1 => (ByteSet::of_byte(literal.bytes[0]), *next),
            Step::One { first, next } => (first.bytes, *next),
            _ => return None,
        };
        let Step::Run(tail) = &steps[tail] else {
            return None;
        };
        let &Run {
            end: RunEnd::Indexed(outside_tail),
            min: min_tail @ (0 | 1),
            max: None,
            follow: Follow::Outside,
            n_held: 0,
            ..
        } = tail
        else {
            return None;
        };
        let [end] = *tail.then.bytes else {
            return None;
        };
        let of_tail = sets.set(outside_tail).complement();
        let has_one_way = of_tail.is_subset(of_field)
            && separators.is_subset(of_field)
            && !separators.intersects(of_tail)
            && !separators.has_beyond_ascii()
            && !of_field.contains(end);
        if !has_one_way {
            return None;
        }
        let outside = sets.add(of_field.complement())?;
        let slots = [None, saved_end, tail.saved_start, tail.saved_end];
        let saved = slots.into_iter().enumerate().filter_map(|(bound_idx, slot)| Some((slot?, bound_idx))).collect();
        Some((TailedField { outside, outside_tail, separators, end, min, min_tail, saved }, tail.next))
    }

    /// Keeps where the field starts in a slot.
    pub(super) fn save_start(&mut self, slot: usize) {
        self.saved.push((slot, 0));
    }
}
