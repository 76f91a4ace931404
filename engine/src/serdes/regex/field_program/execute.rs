//! Runs a field program over one text: the ways to match it in Java's order, without those that cannot succeed.

use super::super::byte_index::ByteIndex;
use super::super::byte_set::First;
use super::row::Split;
use super::{FieldProgram, Follow, Memory, Run, RunEnd, Step, StepIdx, TextEnd, Verdict};

/// Other ways that are tried in one text before it is left to the next tier.
///
/// Measured: most published patterns need none or a few on lines of their formats, and the load balancer's, with `(.*)`
/// for its URL, 20 to 40. 200 take about half of what the linear engine takes for such a line.
const OTHER_WAYS_MAX: u32 = 200;

/// A place where there was more than one way to go on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    step: StepIdx,
    /// Run: the shortest end to try. Split: the position.
    from: usize,
    /// Run: the longest end to try. Split: the next branch to try.
    to: usize,
    n_undo: usize,
}

/// Matches `text[start..]`. Slots get places in `text`.
pub(super) fn execute(
    program: &FieldProgram,
    text: &[u8],
    start: usize,
    memory: &mut Memory,
    slots: &mut [u32],
) -> Verdict {
    let Memory { index, choices, undo, separators, .. } = memory;
    choices.clear();
    undo.clear();
    let mut attempt = Attempt { steps: &program.steps, text, start, index, slots, choices, undo, separators };
    let mut reached_end = attempt.go_on(program.start, start);
    let mut n_other_ways = 0;
    while !reached_end {
        let Some(choice) = attempt.choices.pop() else {
            return Verdict::NoMatch;
        };
        n_other_ways += 1;
        if n_other_ways > OTHER_WAYS_MAX {
            return Verdict::Unsure;
        }
        reached_end = attempt.take_other_way(choice);
    }
    Verdict::Match
}

/// One text on its way through the steps.
struct Attempt<'a> {
    steps: &'a [Step],
    /// It ends where the line ends.
    text: &'a [u8],
    /// Where the line starts.
    start: usize,
    index: &'a ByteIndex,
    slots: &'a mut [u32],
    choices: &'a mut Vec<Choice>,
    undo: &'a mut Vec<(usize, u32)>,
    separators: &'a mut Vec<usize>,
}

impl Attempt<'_> {
    /// Takes steps until one fails, or the last one succeeds.
    fn go_on(&mut self, mut step_idx: StepIdx, mut position: usize) -> bool {
        let steps = self.steps;
        loop {
            // Nearly all steps are runs. The others are left out of line, or a jump through a table would choose, which
            // processors foresee worse than a branch.
            let taken = match &steps[step_idx] {
                Step::Run(run) => self.take_run(run, step_idx, position).map(|after| (run.next, after)),
                Step::End => return position == self.text.len(),
                step => self.take_step(step, step_idx, position),
            };
            match taken {
                Some(next) => (step_idx, position) = next,
                None => return false,
            }
        }
    }

    /// Takes a step that is no run; gives the next one and its place.
    #[inline(never)]
    fn take_step(&mut self, step: &Step, step_idx: StepIdx, position: usize) -> Option<(StepIdx, usize)> {
        let text = self.text;
        Some(match step {
            Step::Literal { literal, next } if literal.is_at(text, position) => (*next, position + literal.len()),
            Step::One { first, next } if first.allows(text, position) => {
                (*next, position + character_len(text[position]))
            }
            Step::Save { slot, next } => {
                self.save(*slot, position);
                (*next, position)
            }
            Step::Split(branches) => (self.take_branch(branches, 0, step_idx, position)?, position),
            Step::Test { assertion, next } if holds(*assertion, &text[self.start..], position - self.start) => {
                (*next, position)
            }
            Step::Row { row, next, plain } => match row.split(text, self.index, position, self.separators) {
                Split::At(end) => {
                    for &(slot, field) in row.saved() {
                        let (start, end) = field.range(position, self.separators);
                        self.save(slot, start);
                        self.save(slot + 1, end);
                    }
                    (*next, end)
                }
                Split::Impossible => return None,
                Split::Unknown => (*plain, position),
            },
            _ => return None,
        })
    }

    fn take_other_way(&mut self, choice: Choice) -> bool {
        for (slot, position) in self.undo.drain(choice.n_undo..).rev() {
            self.slots[slot] = position;
        }
        let Choice { step, from, to, .. } = choice;
        let (next, position) = match &self.steps[step] {
            Step::Run(run) => (run.next, self.end_run(run, step, from, to)),
            Step::Split(branches) => match self.take_branch(branches, to, step, from) {
                None => return false,
                Some(branch) => (branch, Some(from)),
            },
            _ => return false,
        };
        position.is_some_and(|position| self.go_on(next, position))
    }

    /// Keeps a place in a slot. Texts are short enough for it.
    #[inline]
    fn save(&mut self, slot: usize, position: usize) {
        let before = std::mem::replace(&mut self.slots[slot], position as u32);
        if !self.choices.is_empty() {
            self.undo.push((slot, before));
        }
    }

    #[inline]
    fn choose(&mut self, step: StepIdx, from: usize, to: usize) {
        self.choices.push(Choice { step, from, to, n_undo: self.undo.len() });
    }

    /// The first branch from `branch_idx` on that can succeed at `position`.
    fn take_branch(
        &mut self,
        branches: &[(First, StepIdx)],
        branch_idx: usize,
        step: StepIdx,
        position: usize,
    ) -> Option<StepIdx> {
        let text = self.text;
        let mut possible = (branch_idx..branches.len()).filter(|&idx| branches[idx].0.allows(text, position));
        let branch = possible.next()?;
        if let Some(other) = possible.next() {
            self.choose(step, position, other);
        }
        Some(branches[branch].1)
    }

    /// Takes a run at `position` in the way to try first; gives the place after it and its literal.
    #[inline]
    fn take_run(&mut self, run: &Run, step: StepIdx, position: usize) -> Option<usize> {
        let longest = self.longest_end(&run.end, position);
        let (shortest, longest) = match (run.min, run.max) {
            (0, None) => (position, longest),
            (1, None) if longest > position => (position + character_len(self.text[position]), longest),
            (1, None) => return None,
            (min, max) => self.counted_ends(min, max, position, longest)?,
        };
        if let Some(slot) = run.saved_start {
            self.save(slot, position);
        }
        if !matches!(run.follow, Follow::Outside) {
            return self.end_run(run, step, shortest, longest);
        }
        if !run.then.is_at(self.text, longest) {
            return None;
        }
        if let Some(slot) = run.saved_end {
            self.save(slot, longest);
        }
        Some(longest + run.then.len())
    }

    /// Where a run has to end that starts at `position`, if nothing limits it.
    #[inline]
    fn longest_end(&self, end: &RunEnd, position: usize) -> usize {
        match end {
            RunEnd::Indexed(set) => self.index.next(*set, position, self.text.len()),
            RunEnd::TextEnd => self.text.len(),
            RunEnd::Table(table) => {
                let outside = self.text[position..].iter().position(|&byte| !table[usize::from(byte)]);
                outside.map_or(self.text.len(), |n_after| position + n_after)
            }
        }
    }

    /// The shortest and the longest end of a run that is limited in characters.
    fn counted_ends(&self, min: usize, max: Option<usize>, position: usize, longest: usize) -> Option<(usize, usize)> {
        let end = max.and_then(|max| after_characters(self.text, position, max)).unwrap_or(self.text.len());
        let shortest = after_characters(self.text, position, min)?;
        let longest = longest.min(end);
        (shortest <= longest).then_some((shortest, longest))
    }

    /// Ends a run at the place to try first of those from `shortest` to `longest`, and keeps the others.
    fn end_run(&mut self, run: &Run, step: StepIdx, shortest: usize, longest: usize) -> Option<usize> {
        let end = if run.lazy {
            let end = self.first_end(&run.follow, shortest, longest)?;
            if end < longest {
                self.choose(step, end + 1, longest);
            }
            end
        } else {
            let end = self.last_end(&run.follow, shortest, longest)?;
            if end > shortest {
                self.choose(step, shortest, end - 1);
            }
            end
        };
        if let Some(slot) = run.saved_end {
            self.save(slot, end);
        }
        Some(end + run.then.len())
    }

    /// The last place from `shortest` to `longest` at which what follows can begin.
    fn last_end(&self, follow: &Follow, shortest: usize, longest: usize) -> Option<usize> {
        match follow {
            Follow::Outside => Some(longest),
            Follow::Literal { literal, first } => {
                let mut end = self.text.len().min(longest + 1);
                loop {
                    let found = self.index.last(*first, shortest..end)?;
                    if literal.is_at(self.text, found) {
                        return Some(found);
                    }
                    end = found;
                }
            }
            Follow::Bytes(first) => (shortest..=longest).rev().find(|&end| first.allows(self.text, end)),
        }
    }

    /// The first place from `shortest` to `longest` at which what follows can begin.
    fn first_end(&self, follow: &Follow, shortest: usize, longest: usize) -> Option<usize> {
        match follow {
            Follow::Outside => Some(longest),
            Follow::Literal { literal, first } => {
                let mut start = shortest;
                loop {
                    let found = self.index.next(*first, start, self.text.len());
                    if found > longest || found == self.text.len() {
                        return None;
                    }
                    if literal.is_at(self.text, found) {
                        return Some(found);
                    }
                    start = found + 1;
                }
            }
            Follow::Bytes(first) => (shortest..=longest).find(|&end| first.allows(self.text, end)),
        }
    }
}

/// Bytes of the character that starts with this one.
fn character_len(first: u8) -> usize {
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

fn holds(assertion: TextEnd, text: &[u8], position: usize) -> bool {
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
