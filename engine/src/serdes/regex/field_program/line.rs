//! One line of an indexed text, and where the steps' searches end in it.

use super::super::byte_index::ByteIndex;
use super::{Follow, Run, RunEnd, TextEnd};

/// One line; places are places in the whole text.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    /// It ends where the line ends.
    pub text: &'a [u8],
    /// Where the line starts.
    pub start: usize,
    pub index: &'a ByteIndex,
}

impl Line<'_> {
    /// The shortest and the longest end of a run that starts at `position`, where `longest` is the longest if nothing
    /// limits it.
    #[inline(always)]
    pub(super) fn run_limits(self, run: &Run, position: usize, longest: usize) -> Option<(usize, usize)> {
        let longest = if run.needed.is_empty() { longest } else { self.bounded(run, position, longest)? };
        match (run.min, run.max) {
            (0, None) => Some((position, longest)),
            (1, None) if longest > position => Some((position + character_len(self.text[position]), longest)),
            (1, None) => None,
            (min, max) if run.is_ascii => {
                let (shortest, longest) = (position + min, max.map_or(longest, |max| longest.min(position + max)));
                (shortest <= longest).then_some((shortest, longest))
            }
            (min, max) => self.counted_ends(min, max, position, longest),
        }
    }

    /// The longest end of a run that leaves as many of the needed bytes as the rest needs.
    #[inline(never)]
    pub(super) fn bounded(self, run: &Run, position: usize, longest: usize) -> Option<usize> {
        run.needed.iter().try_fold(longest, |longest, &(set, n_needed)| {
            Some(longest.min(self.index.places(set).nth_last(position..self.text.len(), n_needed)?))
        })
    }

    /// The end of a run to try first, of those within its limits.
    #[inline(always)]
    pub(super) fn first_run_end(self, run: &Run, (shortest, longest): (usize, usize)) -> Option<usize> {
        match &run.follow {
            Follow::Outside => Some(longest),
            _ if run.lazy => self.first_end(&run.follow, shortest, longest),
            Follow::Bytes { first, .. } if first.allows(self.text, longest) => Some(longest),
            _ => self.last_end(&run.follow, shortest, longest),
        }
    }

    /// The other ends that a run can have if the first does not lead on.
    #[inline]
    pub(super) fn other_run_ends(
        self,
        run: &Run,
        (shortest, longest): (usize, usize),
        end: usize,
    ) -> Option<(usize, usize)> {
        match run.follow {
            Follow::Outside => None,
            _ if run.lazy => (end < longest).then_some((end + 1, longest)),
            _ => (end > shortest).then(|| (shortest, end - 1)),
        }
    }

    /// The place after a run that ends at `end`, and after its literal if that is there.
    #[inline(always)]
    pub(super) fn after_run(self, run: &Run, end: usize) -> Option<usize> {
        let is_there = match run.follow {
            Follow::Literal { .. } => true,
            Follow::Outside if run.ends_at_literal => end < self.text.len(),
            _ => run.then.is_at(self.text, end),
        };
        is_there.then(|| end + run.then.len())
    }

    /// Whether an assertion holds at `position`.
    pub(super) fn holds(self, assertion: TextEnd, position: usize) -> bool {
        let text = &self.text[self.start..];
        let position = position - self.start;
        match assertion {
            TextEnd::Start => position == 0,
            TextEnd::End => position == text.len(),
            TextEnd::EndBeforeBreak => match &text[position..] {
                b"" | b"\r\n" | b"\r" | b"\xc2\x85" | b"\xe2\x80\xa8" | b"\xe2\x80\xa9" => true,
                // Java never looks between the two characters of a Windows line break.
                b"\n" => !text[..position].ends_with(b"\r"),
                _ => false,
            },
        }
    }

    /// Where a run has to end that starts at `position`, if nothing limits it.
    #[inline(always)]
    pub(super) fn longest_end(self, run: &Run, position: usize) -> Option<usize> {
        let outside = match &run.end {
            RunEnd::Indexed(set) => self.index.places(*set).next(position, self.text.len()),
            RunEnd::TextEnd => self.text.len(),
            RunEnd::Table(table) => {
                let outside = self.text[position..].iter().position(|&byte| !table[usize::from(byte)]);
                outside.map_or(self.text.len(), |n_after| position + n_after)
            }
        };
        (outside >= position + run.n_held).then(|| outside - run.n_held)
    }

    /// The shortest and the longest end of a run that is limited in characters.
    fn counted_ends(self, min: usize, max: Option<usize>, position: usize, longest: usize) -> Option<(usize, usize)> {
        let end = max.and_then(|max| after_characters(self.text, position, max)).unwrap_or(self.text.len());
        let shortest = after_characters(self.text, position, min)?;
        let longest = longest.min(end);
        (shortest <= longest).then_some((shortest, longest))
    }

    /// The last place from `shortest` to `longest` at which what follows can begin.
    #[inline(always)]
    fn last_end(self, follow: &Follow, shortest: usize, longest: usize) -> Option<usize> {
        match follow {
            Follow::Outside => Some(longest),
            Follow::Literal { literal, first } => {
                let mut end = self.text.len().min(longest + 1);
                loop {
                    let found = self.index.places(*first).last(shortest..end)?;
                    if literal.is_at(self.text, found) {
                        return Some(found);
                    }
                    end = found;
                }
            }
            Follow::Bytes { first, .. } if first.allows(self.text, longest) => Some(longest),
            Follow::Bytes { first, indexed: Some(around), .. } => {
                let mut end = longest;
                loop {
                    end = self.index.places(*around).last(shortest..end)?;
                    if first.allows(self.text, end) {
                        return Some(end);
                    }
                }
            }
            Follow::Bytes { first, .. } => (shortest..longest).rev().find(|&end| first.allows(self.text, end)),
        }
    }

    /// The first place from `shortest` to `longest` at which what follows can begin.
    #[inline(always)]
    fn first_end(self, follow: &Follow, shortest: usize, longest: usize) -> Option<usize> {
        match follow {
            Follow::Outside => Some(longest),
            Follow::Literal { literal, first } => {
                let mut start = shortest;
                loop {
                    let found = self.index.places(*first).next(start, self.text.len());
                    if found > longest || found == self.text.len() {
                        return None;
                    }
                    if literal.is_at(self.text, found) {
                        return Some(found);
                    }
                    start = found + 1;
                }
            }
            Follow::Bytes { first, indexed: Some(around), .. } if !first.at_end => {
                let mut start = shortest;
                loop {
                    let found = self.index.places(*around).next(start, self.text.len());
                    if found > longest || found == self.text.len() {
                        return None;
                    }
                    if first.allows(self.text, found) {
                        return Some(found);
                    }
                    start = found + 1;
                }
            }
            Follow::Bytes { first, .. } => (shortest..=longest).find(|&end| first.allows(self.text, end)),
        }
    }
}

/// Bytes of the character that starts with this one.
pub(super) fn character_len(first: u8) -> usize {
    match first {
        ..0xc0 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
    }
}

/// The place after some characters; `None` if there are fewer.
fn after_characters(text: &[u8], position: usize, n_characters: usize) -> Option<usize> {
    let mut end = position;
    for _ in 0..n_characters {
        end += character_len(*text.get(end)?);
    }
    Some(end)
}
