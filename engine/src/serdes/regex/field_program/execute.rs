//! Runs a field program over one text: the ways to match it in Java's order, without those that cannot succeed.

use super::super::byte_set::First;
use super::fields::FieldBounds;
use super::line::{Line, character_len};
use super::row::Split;
use super::{FieldProgram, Memory, Run, Step, StepIdx, Verdict};

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
    let line = Line { text, start, index };
    let mut attempt = Attempt { steps: &program.steps, line, slots, choices, undo, separators };
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

/// One line on its way through the steps.
struct Attempt<'a> {
    steps: &'a [Step],
    line: Line<'a>,
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
                Step::End => return position == self.line.text.len(),
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
        let text = self.line.text;
        Some(match step {
            Step::Literal { literal, next } if literal.is_at(text, position) => (*next, position + literal.len()),
            Step::One { first, next } if first.allows(text, position) => {
                (*next, position + character_len(text[position]))
            }
            Step::Fields { fields, next } => {
                let mut bounds = FieldBounds::default();
                let after = fields.find::<true>(text, self.line.index.places(fields.outside), position, &mut bounds)?;
                for &(slot, bound_idx, n_less) in &fields.saved {
                    self.save(slot, (bounds[bound_idx] - n_less) as usize);
                }
                (*next, after)
            }
            Step::TailedField { field, next } => {
                let bounds = field.find(text, self.line.index, position)?;
                for &(slot, bound_idx) in &field.saved {
                    self.save(slot, bounds[bound_idx]);
                }
                (*next, bounds[3] + 1)
            }
            Step::Save { slot, next } => {
                self.save(*slot, position);
                (*next, position)
            }
            Step::Split(branches) => (self.take_branch(branches, 0, step_idx, position)?, position),
            Step::Test { assertion, next } if self.line.holds(*assertion, position) => (*next, position),
            Step::Row { row, next, plain } => {
                match row.split(text, &row.index(self.line.index), position, self.separators) {
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
                }
            }
            _ => return None,
        })
    }

    fn take_other_way(&mut self, choice: Choice) -> bool {
        for (slot, position) in self.undo.drain(choice.n_undo..).rev() {
            self.slots[slot] = position;
        }
        let Choice { step, from, to, .. } = choice;
        let (next, position) = match &self.steps[step] {
            Step::Run(run) => (run.next, self.end_run(run, step, (from, to))),
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
        let text = self.line.text;
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
        let longest = self.line.longest_end(run, position)?;
        let limits = self.line.run_limits(run, position, longest)?;
        if let Some(slot) = run.saved_start {
            self.save(slot, position);
        }
        self.end_run(run, step, limits)
    }

    /// Ends a run at the place to try first of those within its limits, and keeps the others.
    #[inline]
    fn end_run(&mut self, run: &Run, step: StepIdx, limits: (usize, usize)) -> Option<usize> {
        let end = self.line.first_run_end(run, limits)?;
        if let Some((from, to)) = self.line.other_run_ends(run, limits, end) {
            self.choose(step, from, to);
        }
        let after = self.line.after_run(run, end)?;
        if let Some(slot) = run.saved_end {
            self.save(slot, end);
        }
        Some(after)
    }
}
