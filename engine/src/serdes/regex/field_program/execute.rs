//! Runs a field program over one text: the ways to match it in Java's order, without those that cannot succeed.

use memchr::{memchr, memrchr};

use super::super::byte_set::First;
use super::row::Split;
use super::{FieldProgram, Follow, Memory, Run, Step, StepIdx, TextEnd, UNSET, Verdict};

/// Other ways that are tried in one text before it is left to the next tier.
///
/// A guess: most lines of known logs need none, the load balancer's pattern with `(.*)` for the URL needs about 20, and
/// a hundred cost less than the next tier takes for a line.
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

pub(super) fn execute(program: &FieldProgram, text: &[u8], memory: &mut Memory) -> Verdict {
    memory.slots.clear();
    memory.slots.resize(program.n_slots, UNSET);
    memory.choices.clear();
    memory.undo.clear();
    let mut execution = Execution { program, text, memory };
    let mut at = execution.go_on(program.start, 0);
    let mut n_other_ways = 0;
    while !at {
        let Some(choice) = execution.memory.choices.pop() else {
            return Verdict::NoMatch;
        };
        n_other_ways += 1;
        if n_other_ways > OTHER_WAYS_MAX {
            return Verdict::Unsure;
        }
        at = execution.take_other_way(choice);
    }
    Verdict::Match
}

struct Execution<'a> {
    program: &'a FieldProgram,
    text: &'a [u8],
    memory: &'a mut Memory,
}

impl Execution<'_> {
    /// Takes steps until one fails, or the last one succeeds.
    fn go_on(&mut self, mut step_idx: StepIdx, mut position: usize) -> bool {
        let text = self.text;
        loop {
            let step = &self.program.steps[step_idx];
            // Most steps are runs, and a branch is foreseen better than a jump through a table.
            if let Step::Run(run) = step {
                let Some(after) = self.run(step_idx, run, position) else {
                    return false;
                };
                position = after;
                step_idx = run.next;
                continue;
            }
            match step {
                Step::End => return position == text.len(),
                Step::Literal { bytes, next } => {
                    if !has(text, position, bytes) {
                        return false;
                    }
                    position += bytes.len();
                    step_idx = *next;
                }
                Step::One { first, next } => {
                    if !first.allows(text, position) {
                        return false;
                    }
                    position += character_len(text[position]);
                    step_idx = *next;
                }
                Step::Run(_) => return false,
                Step::Save { slot, next } => {
                    self.save(*slot, position);
                    step_idx = *next;
                }
                Step::Split(branches) => match self.branch(step_idx, branches, 0, position) {
                    None => return false,
                    Some(branch) => step_idx = branch,
                },
                Step::Test { assertion, next } => {
                    if !holds(*assertion, text, position) {
                        return false;
                    }
                    step_idx = *next;
                }
                Step::Row { row, next, plain } => {
                    let mut separators = std::mem::take(&mut self.memory.separators);
                    let split = row.split(text, position, &mut separators);
                    if let Split::At(end) = split {
                        row.saved(position, &separators, |slot, field| {
                            self.save(slot, field.start);
                            self.save(slot + 1, field.end);
                        });
                        position = end;
                        step_idx = *next;
                    }
                    self.memory.separators = separators;
                    match split {
                        Split::At(_) => {}
                        Split::Impossible => return false,
                        Split::Unknown => step_idx = *plain,
                    }
                }
            }
        }
    }

    fn take_other_way(&mut self, choice: Choice) -> bool {
        for (slot, position) in self.memory.undo.drain(choice.n_undo..).rev() {
            self.memory.slots[slot] = position;
        }
        let Choice { step, from, to, .. } = choice;
        match &self.program.steps[step] {
            Step::Run(run) => match self.run_end(step, run, from, to) {
                None => false,
                Some(after) => self.go_on(run.next, after),
            },
            Step::Split(branches) => match self.branch(step, branches, to, from) {
                None => false,
                Some(branch) => self.go_on(branch, from),
            },
            _ => false,
        }
    }

    fn save(&mut self, slot: usize, position: usize) {
        let before = std::mem::replace(&mut self.memory.slots[slot], position);
        if !self.memory.choices.is_empty() {
            self.memory.undo.push((slot, before));
        }
    }

    fn choose(&mut self, step: StepIdx, from: usize, to: usize) {
        let n_undo = self.memory.undo.len();
        self.memory.choices.push(Choice { step, from, to, n_undo });
    }

    /// The first branch from `branch_idx` on that can succeed at `position`.
    fn branch(
        &mut self,
        step: StepIdx,
        branches: &[(First, StepIdx)],
        branch_idx: usize,
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

    /// Takes a run at `position` in the way to try first; the place after it and its literal.
    #[inline]
    fn run(&mut self, step: StepIdx, run: &Run, position: usize) -> Option<usize> {
        let text = self.text;
        let text_end = match run.max {
            None => text.len(),
            Some(max) => after_characters(text, position, max).unwrap_or(text.len()),
        };
        let longest = run.end.find(&text[..text_end], position);
        let shortest = match run.min {
            0 => position,
            1 if longest > position => position + character_len(text[position]),
            min => after_characters(text, position, min)?,
        };
        if shortest > longest {
            return None;
        }
        if let Some(slot) = run.saved_start {
            self.save(slot, position);
        }
        if !matches!(run.follow, Follow::Outside) {
            return self.run_end(step, run, shortest, longest);
        }
        if !run.then.is_empty() && !has(text, longest, &run.then) {
            return None;
        }
        Some(self.after_run(run, longest))
    }

    /// Ends a run at the place to try first of those from `shortest` to `longest`, and keeps the others.
    fn run_end(&mut self, step: StepIdx, run: &Run, shortest: usize, longest: usize) -> Option<usize> {
        let end = if run.lazy {
            let end = first_end(&run.follow, self.text, shortest, longest)?;
            if end < longest {
                self.choose(step, end + 1, longest);
            }
            end
        } else {
            let end = last_end(&run.follow, self.text, shortest, longest)?;
            if end > shortest {
                self.choose(step, shortest, end - 1);
            }
            end
        };
        Some(self.after_run(run, end))
    }

    #[inline]
    fn after_run(&mut self, run: &Run, end: usize) -> usize {
        if let Some(slot) = run.saved_end {
            self.save(slot, end);
        }
        end + run.then.len()
    }
}

#[inline]
fn has(text: &[u8], position: usize, literal: &[u8]) -> bool {
    match literal {
        [byte] => text.get(position) == Some(byte),
        _ => text[position..].starts_with(literal),
    }
}

/// The last place from `shortest` to `longest` at which what follows can begin.
fn last_end(follow: &Follow, text: &[u8], shortest: usize, longest: usize) -> Option<usize> {
    match follow {
        Follow::Outside => Some(longest),
        Follow::Literal(literal) => {
            let mut end = text.len().min(longest + 1);
            loop {
                let found = shortest + memrchr(literal[0], text.get(shortest..end)?)?;
                if has(text, found, literal) {
                    return Some(found);
                }
                end = found;
            }
        }
        Follow::Bytes(first) => (shortest..=longest).rev().find(|&end| first.allows(text, end)),
    }
}

/// The first place from `shortest` to `longest` at which what follows can begin.
fn first_end(follow: &Follow, text: &[u8], shortest: usize, longest: usize) -> Option<usize> {
    match follow {
        Follow::Outside => Some(longest),
        Follow::Literal(literal) => {
            let end = text.len().min(longest + 1);
            let mut start = shortest;
            loop {
                let found = start + memchr(literal[0], text.get(start..end)?)?;
                if has(text, found, literal) {
                    return Some(found);
                }
                start = found + 1;
            }
        }
        Follow::Bytes(first) => (shortest..=longest).find(|&end| first.allows(text, end)),
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
