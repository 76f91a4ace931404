//! Runs a field program over one text: the ways to match it in Java's order, without those that cannot succeed.

use memchr::{memchr, memrchr};

use super::super::byte_set::First;
use super::row::Split;
use super::{FieldProgram, Follow, Memory, Run, Step, StepIdx, TextEnd, UNSET, Verdict};

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

pub(super) fn execute(program: &FieldProgram, text: &[u8], memory: &mut Memory) -> Verdict {
    memory.slots.clear();
    memory.slots.resize(program.n_slots, UNSET);
    memory.choices.clear();
    memory.undo.clear();
    let steps = &program.steps[..];
    let mut reached_end = go_on(steps, text, memory, program.start, 0);
    let mut n_other_ways = 0;
    while !reached_end {
        let Some(choice) = memory.choices.pop() else {
            return Verdict::NoMatch;
        };
        n_other_ways += 1;
        if n_other_ways > OTHER_WAYS_MAX {
            return Verdict::Unsure;
        }
        reached_end = take_other_way(steps, text, memory, choice);
    }
    Verdict::Match
}

/// Takes steps until one fails, or the last one succeeds.
fn go_on(steps: &[Step], text: &[u8], memory: &mut Memory, mut step_idx: StepIdx, mut position: usize) -> bool {
    loop {
        let step = &steps[step_idx];
        // Nearly all steps are these, and a branch is foreseen better than a jump through a table.
        if let Step::Run(run) = step {
            let Some(after) = take_run(run, step_idx, text, memory, position) else {
                return false;
            };
            position = after;
            step_idx = run.next;
            continue;
        }
        if let Step::Row { row, next, plain } = step {
            let mut separators = std::mem::take(&mut memory.separators);
            let split = row.split(text, position, &mut separators);
            if let Split::At(_) = split {
                row.saved(position, &separators, |slot, field| {
                    memory.save(slot, field.start);
                    memory.save(slot + 1, field.end);
                });
            }
            memory.separators = separators;
            step_idx = match split {
                Split::At(end) => {
                    position = end;
                    *next
                }
                Split::Impossible => return false,
                Split::Unknown => *plain,
            };
            continue;
        }
        if let Step::End = step {
            return position == text.len();
        }
        step_idx = match step {
            Step::Literal { bytes, next } if has(text, position, bytes) => {
                position += bytes.len();
                *next
            }
            Step::One { first, next } if first.allows(text, position) => {
                position += character_len(text[position]);
                *next
            }
            Step::Save { slot, next } => {
                memory.save(*slot, position);
                *next
            }
            Step::Split(branches) => match take_branch(branches, 0, step_idx, text, memory, position) {
                None => return false,
                Some(branch) => branch,
            },
            Step::Test { assertion, next } if holds(*assertion, text, position) => *next,
            Step::End
            | Step::Run(_)
            | Step::Row { .. }
            | Step::Literal { .. }
            | Step::One { .. }
            | Step::Test { .. } => return false,
        };
    }
}

fn take_other_way(steps: &[Step], text: &[u8], memory: &mut Memory, choice: Choice) -> bool {
    for (slot, position) in memory.undo.drain(choice.n_undo..).rev() {
        memory.slots[slot] = position;
    }
    let Choice { step, from, to, .. } = choice;
    let (next, position) = match &steps[step] {
        Step::Run(run) => (run.next, end_run(run, step, text, memory, from, to)),
        Step::Split(branches) => match take_branch(branches, to, step, text, memory, from) {
            None => return false,
            Some(branch) => (branch, Some(from)),
        },
        _ => return false,
    };
    position.is_some_and(|position| go_on(steps, text, memory, next, position))
}

impl Memory {
    #[inline]
    fn save(&mut self, slot: usize, position: usize) {
        let before = std::mem::replace(&mut self.slots[slot], position);
        if !self.choices.is_empty() {
            self.undo.push((slot, before));
        }
    }

    #[inline]
    fn choose(&mut self, step: StepIdx, from: usize, to: usize) {
        self.choices.push(Choice { step, from, to, n_undo: self.undo.len() });
    }
}

/// The first branch from `branch_idx` on that can succeed at `position`.
fn take_branch(
    branches: &[(First, StepIdx)],
    branch_idx: usize,
    step: StepIdx,
    text: &[u8],
    memory: &mut Memory,
    position: usize,
) -> Option<StepIdx> {
    let mut possible = (branch_idx..branches.len()).filter(|&idx| branches[idx].0.allows(text, position));
    let branch = possible.next()?;
    if let Some(other) = possible.next() {
        memory.choose(step, position, other);
    }
    Some(branches[branch].1)
}

/// Takes a run at `position` in the way to try first; gives the place after it and its literal.
#[inline]
fn take_run(run: &Run, step: StepIdx, text: &[u8], memory: &mut Memory, position: usize) -> Option<usize> {
    let (shortest, longest) = match (run.min, run.max) {
        (min @ (0 | 1), None) => {
            let longest = run.end.find(text, position);
            if min == 0 {
                (position, longest)
            } else if longest > position {
                (position + character_len(text[position]), longest)
            } else {
                return None;
            }
        }
        (min, max) => counted_ends(run, min, max, text, position)?,
    };
    if let Some(slot) = run.saved_start {
        memory.save(slot, position);
    }
    if !matches!(run.follow, Follow::Outside) {
        return end_run(run, step, text, memory, shortest, longest);
    }
    if !run.then.is_empty() && !has(text, longest, &run.then) {
        return None;
    }
    if let Some(slot) = run.saved_end {
        memory.save(slot, longest);
    }
    Some(longest + run.then.len())
}

/// The shortest and the longest end of a run that is limited in characters.
fn counted_ends(run: &Run, min: usize, max: Option<usize>, text: &[u8], position: usize) -> Option<(usize, usize)> {
    let text_end = max.and_then(|max| after_characters(text, position, max)).unwrap_or(text.len());
    let longest = run.end.find(&text[..text_end], position);
    let shortest = after_characters(text, position, min)?;
    (shortest <= longest).then_some((shortest, longest))
}

/// Ends a run at the place to try first of those from `shortest` to `longest`, and keeps the others.
fn end_run(
    run: &Run,
    step: StepIdx,
    text: &[u8],
    memory: &mut Memory,
    shortest: usize,
    longest: usize,
) -> Option<usize> {
    let end = if run.lazy {
        let end = first_end(&run.follow, text, shortest, longest)?;
        if end < longest {
            memory.choose(step, end + 1, longest);
        }
        end
    } else {
        let end = last_end(&run.follow, text, shortest, longest)?;
        if end > shortest {
            memory.choose(step, shortest, end - 1);
        }
        end
    };
    if let Some(slot) = run.saved_end {
        memory.save(slot, end);
    }
    Some(end + run.then.len())
}

/// Whether the literal stands at `position`. Most are so short that a loop takes less than a call.
#[inline]
fn has(text: &[u8], position: usize, literal: &[u8]) -> bool {
    let text = &text[position..];
    text.len() >= literal.len() && literal.iter().zip(text).all(|(byte, other)| byte == other)
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
