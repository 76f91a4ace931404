//! Tier 1: a pattern as a short list of steps over bytes, without a regular-expression engine.
//!
//! The patterns of log tables are rows of runs (`[^ ]*`), separators, quoted fields and a few alternatives. Each becomes
//! one [`Step`], and most steps know from the next byte alone what to do. The answer is Java's, for two reasons.
//!
//! *Order.* Java tries the ways to match a pattern in an order that the pattern fixes (a greedy run longest first,
//! alternatives from the left), and the first way that reaches the end of the text is the answer. [`execute`] tries the
//! same ways in the same order and leaves out only those that cannot succeed, since the byte after the run, or the
//! literal after it, is none that what follows can begin with. What it finds is therefore what Java finds, and when
//! nothing is left to try, there is no match. After a fixed number of ways it gives up, knows nothing, and the line goes
//! to the next tier; what a line costs here has a limit.
//!
//! *Counting.* In `([^ ]+)\s+([^ ]+)\s+…` a run may swallow the tabs that separate it from the next, so that the order
//! alone leads far astray. [`row`] counts instead: if a line has exactly as many separators as the row needs, there is
//! only one way.
//!
//! A text is UTF-8 and a step sees bytes, so a set has to hold all characters beyond ASCII or none of them. What the
//! steps cannot say — look-around, back-references, repeated groups — is an [`Obstacle`], and EXPLAIN names it.

mod compile;
mod execute;
mod row;

use std::fmt;
use std::ops::Range;

use self::execute::Choice;
use self::row::Row;
use super::byte_set::{First, RunEnd};
use crate::java_regex::Node;

/// A pattern as steps, with places for the groups that were asked for.
#[derive(Debug, Clone)]
pub(super) struct FieldProgram {
    steps: Vec<Step>,
    start: StepIdx,
    n_slots: usize,
    /// For each group asked for, the slot of its start; the slot of its end is the next one.
    slots: Vec<usize>,
}

/// The part of a pattern that no step can match, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Obstacle {
    part: String,
    reason: &'static str,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" {}", self.part, self.reason)
    }
}

/// What a program says of one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Match,
    NoMatch,
    /// There were more ways to try than are worth it here.
    Unsure,
}

type StepIdx = usize;

#[derive(Debug, Clone)]
enum Step {
    /// The end of the pattern, and of the text.
    End,
    Literal {
        bytes: Box<[u8]>,
        next: StepIdx,
    },
    /// One character.
    One {
        first: First,
        next: StepIdx,
    },
    Run(Run),
    Save {
        slot: usize,
        next: StepIdx,
    },
    /// Ways to go on, best first, each with what it can begin with.
    Split(Box<[(First, StepIdx)]>),
    Test {
        assertion: TextEnd,
        next: StepIdx,
    },
    /// A row of runs and separators; where counting does not help, `plain` has its steps one by one.
    Row {
        row: Box<Row>,
        next: StepIdx,
        plain: StepIdx,
    },
}

/// The assertions that a step can test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextEnd {
    Start,
    End,
    /// The end, or before the line break that ends the text.
    EndBeforeBreak,
}

/// Characters of one set, with what most patterns have around a run: `([^ ]*) ` is one step.
#[derive(Debug, Clone)]
struct Run {
    end: RunEnd,
    /// In characters.
    min: usize,
    max: Option<usize>,
    lazy: bool,
    follow: Follow,
    /// The slots that keep where the run starts and ends.
    saved_start: Option<usize>,
    saved_end: Option<usize>,
    /// A literal right after the run; empty if there is none.
    then: Box<[u8]>,
    next: StepIdx,
}

/// What a run can be followed by, as far as one look at the text can tell.
#[derive(Debug, Clone)]
enum Follow {
    /// Nothing that the run could have taken: it ends where it has to.
    Outside,
    Literal(Box<[u8]>),
    Bytes(First),
}

/// What a task needs to run a program, used again for every line.
#[derive(Debug, Default)]
pub(super) struct Memory {
    slots: Vec<usize>,
    choices: Vec<Choice>,
    /// Slots that were written since the first choice, and what was in them.
    undo: Vec<(usize, usize)>,
    separators: Vec<usize>,
    n_sure: u64,
    n_unsure: u64,
}

/// In a slot: the group took no part.
const UNSET: usize = usize::MAX;

/// Texts that a program may be unsure of beyond those that it answered.
const UNSURE_MAX: u64 = 1000;

#[cfg(test)]
impl Memory {
    pub(super) fn n_unsure(&self) -> u64 {
        self.n_unsure
    }
}

impl FieldProgram {
    /// Compiles a pattern that has to match a whole text. Whether it can does not depend on `groups`.
    pub(super) fn compile(node: &Node, groups: &[usize]) -> Result<Self, Obstacle> {
        compile::compile(node, groups)
    }

    /// Matches one text, and says where its groups lie if it does.
    ///
    /// Where most texts were left to the next tier, all are from then on.
    pub(super) fn find(&self, text: &str, memory: &mut Memory, groups: &mut [Option<Range<usize>>]) -> Verdict {
        if memory.n_unsure > memory.n_sure + UNSURE_MAX {
            return Verdict::Unsure;
        }
        let verdict = execute::execute(self, text.as_bytes(), memory);
        match verdict {
            Verdict::Match => {
                for (group, &slot) in groups.iter_mut().zip(&self.slots) {
                    let (start, end) = (memory.slots[slot], memory.slots[slot + 1]);
                    *group = (start != UNSET && end != UNSET).then_some(start..end);
                }
                memory.n_sure += 1;
            }
            Verdict::NoMatch => memory.n_sure += 1,
            Verdict::Unsure => memory.n_unsure += 1,
        }
        verdict
    }
}

#[cfg(test)]
mod tests;
