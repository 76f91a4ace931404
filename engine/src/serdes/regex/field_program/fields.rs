//! Fields: runs side by side that end at the same byte, `([^ ]*) ([^ ]*) `, found together as the next places of a set.
//!
//! No field can hold the byte that ends it, so that there is but one way to match them, as for each of the runs alone.

use super::super::byte_index::{Places, SetIdx};
use super::{Follow, Run, RunEnd, Step, StepIdx};

/// Fields that are found together.
const FIELDS_MAX: usize = 31;

/// Where each field starts, by number, and where the last one is over; what stands behind these means nothing.
pub(super) type FieldBounds = [u32; FIELDS_MAX + 1];

#[derive(Debug, Clone)]
pub(super) struct Fields {
    /// The bytes that end a field.
    pub outside: SetIdx,
    /// The byte that has to end each.
    separator: u8,
    may_be_empty: bool,
    n_fields: usize,
    /// Slots, each with the number of its bound and what to take off.
    pub saved: Vec<(usize, usize, u32)>,
}

impl Fields {
    /// Finds the fields that start at `position`, in a line that ends with the text; gives the place after the last
    /// separator. Without `KEEPS` it leaves the bounds as they are.
    #[inline(always)]
    pub(super) fn find<const KEEPS: bool>(
        &self,
        text: &[u8],
        outside: Places<'_>,
        position: usize,
        bounds: &mut FieldBounds,
    ) -> Option<usize> {
        let (mut n_found, mut start) = (0, position);
        if KEEPS {
            bounds[0] = position as u32;
        }
        let mut from = position;
        while from < text.len() {
            let (mut word, next_from) = outside.ahead(from);
            while word != 0 {
                let end = from + word.trailing_zeros() as usize;
                // Bits behind the line are of the next one.
                if text.get(end) != Some(&self.separator) || (!self.may_be_empty && end == start) {
                    return None;
                }
                (n_found, start) = (n_found + 1, end + 1);
                if KEEPS {
                    bounds[n_found % (FIELDS_MAX + 1)] = start as u32;
                }
                if n_found == self.n_fields {
                    return Some(start);
                }
                word &= word - 1;
            }
            from = next_from;
        }
        None
    }

    /// A run as a field, if it can be one.
    fn of_run(run: &Run) -> Option<(Self, StepIdx)> {
        let &Run {
            end: RunEnd::Indexed(outside),
            min: min @ (0 | 1),
            max: None,
            follow: Follow::Outside,
            n_held: 0,
            ..
        } = run
        else {
            return None;
        };
        let [separator] = *run.then.bytes else {
            return None;
        };
        let saved_start = run.saved_start.map(|slot| (slot, 0, 0));
        let saved_end = run.saved_end.map(|slot| (slot, 1, 1));
        let saved = saved_start.into_iter().chain(saved_end).collect();
        Some((Fields { outside, separator, may_be_empty: min == 0, n_fields: 1, saved }, run.next))
    }

    /// These, and the field of a run before them.
    fn with_first(mut self, first: &Run) -> Option<Self> {
        let (field, _) = Self::of_run(first)?;
        let is_like =
            (field.outside, field.separator, field.may_be_empty) == (self.outside, self.separator, self.may_be_empty);
        if !is_like || self.n_fields == FIELDS_MAX {
            return None;
        }
        self.n_fields += 1;
        // In order: of a group that is repeated, the last one counts.
        let later = std::mem::replace(&mut self.saved, field.saved);
        self.saved.extend(later.into_iter().map(|(slot, bound_idx, n_less)| (slot, bound_idx + 1, n_less)));
        Some(self)
    }
}

/// Puts runs together where a field follows a field. A step that only these went through stays, and is never met.
pub(super) fn put_together(steps: &mut [Step]) {
    for step_idx in 0..steps.len() {
        let Step::Run(run) = &steps[step_idx] else {
            continue;
        };
        let following = match &steps[run.next] {
            Step::Run(following) => Fields::of_run(following),
            Step::Fields { fields, next } => Some((fields.clone(), *next)),
            _ => None,
        };
        if let Some((following, next)) = following
            && let Some(fields) = following.with_first(run)
        {
            steps[step_idx] = Step::Fields { fields, next };
        }
    }
}
