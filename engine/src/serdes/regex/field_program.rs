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
//! *Together.* The first way is nearly always the answer, so [`first_ways`] tries it for many lines at once, without
//! notes of the others, and leaves only those to [`execute`] for which it leads nowhere.
//!
//! *Fields.* Runs side by side that end at the same byte, `([^ ]*) ([^ ]*) `, are one step: the next places of a set.
//!
//! *Tails.* A field that is divided at its last byte of some kind, `([^ ]*):([0-9]*) `, is one step too, and where a literal
//! begins with what a run could hold but does not end so, `[^ ]*" `, the run has one end.
//!
//! *What is left.* In `"GET (.*) (- |[^ ]*)" "([^"]*)"` the run of anything could end at every blank of the line. But the
//! rest of the pattern needs so many quotes: it ends before as many of them, counted from the end of the line.
//!
//! A text is UTF-8 and a step sees bytes, so a set has to hold all characters beyond ASCII or none of them. What the
//! steps cannot say — look-around, back-references, repeated groups — is an [`Obstacle`], and EXPLAIN names it.

mod compile;
mod execute;
mod fields;
mod first_ways;
mod line;
mod row;
mod tailed_field;

use std::fmt;
use std::ops::Range;

use self::execute::Choice;
use self::fields::Fields;
use self::first_ways::{FirstWays, LINES_MAX};
pub(super) use self::first_ways::{LineBits, all_of};
use self::row::Row;
use self::tailed_field::TailedField;
use super::byte_index::{ByteIndex, IndexedSets, SetIdx, WINDOW_BYTES};
use super::byte_set::First;
use crate::input::RecordRange;
use crate::java_regex::Node;

/// A pattern as steps, with places for the groups that were asked for.
#[derive(Debug, Clone)]
pub(super) struct FieldProgram {
    steps: Vec<Step>,
    start: StepIdx,
    /// What the steps look for.
    sets: IndexedSets,
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
        literal: Literal,
        next: StepIdx,
    },
    /// One character.
    One {
        first: First,
        next: StepIdx,
    },
    Run(Run),
    Fields {
        fields: Fields,
        next: StepIdx,
    },
    TailedField {
        field: TailedField,
        next: StepIdx,
    },
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

/// Bytes that have to stand in a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Literal {
    bytes: Box<[u8]>,
    /// The first eight bytes, or all and zeros, in the order of memory; and ones where there are bytes.
    word: u64,
    mask: u64,
}

impl Literal {
    fn new(bytes: &[u8]) -> Self {
        let word = |bytes: &mut dyn Iterator<Item = u8>| {
            let mut word = [0; 8];
            word.iter_mut().zip(bytes).for_each(|(byte, of_literal)| *byte = of_literal);
            u64::from_le_bytes(word)
        };
        Literal {
            bytes: bytes.into(),
            word: word(&mut bytes.iter().copied()),
            mask: word(&mut bytes.iter().map(|_| u8::MAX)),
        }
    }

    fn len(&self) -> usize {
        self.bytes.len()
    }

    #[inline(always)]
    fn is_at(&self, text: &[u8], position: usize) -> bool {
        let rest = &text[position..];
        match *self.bytes {
            [] => return true,
            [byte] => return rest.first() == Some(&byte),
            _ => {}
        }
        match rest.first_chunk() {
            Some(word) if u64::from_le_bytes(*word) & self.mask != self.word => false,
            Some(_) if self.bytes.len() <= size_of::<u64>() => true,
            _ => rest.starts_with(&self.bytes),
        }
    }
}

/// The assertions that a step can test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextEnd {
    Start,
    End,
    /// The end, or before the line break that ends the text.
    EndBeforeBreak,
}

/// The search for the end of a run: for the first byte that is not of its set.
#[derive(Debug, Clone)]
enum RunEnd {
    TextEnd,
    /// The bytes that end it are in the index.
    Indexed(SetIdx),
    /// Whether a byte belongs to the run.
    Table(Box<[bool; 256]>),
}

/// Characters of one set, with what most patterns have around a run: `([^ ]*) ` is one step.
#[derive(Debug, Clone)]
struct Run {
    end: RunEnd,
    /// In characters.
    min: usize,
    max: Option<usize>,
    /// All characters of the set are one byte.
    is_ascii: bool,
    lazy: bool,
    follow: Follow,
    /// The run ends so many bytes before the first that it cannot hold: the literal after it begins with as many that it
    /// could hold, as in `[^ ]*" `.
    n_held: usize,
    /// Bytes that what follows needs, and how often: so many have to be left of each.
    needed: Box<[(SetIdx, usize)]>,
    /// The slots that keep where the run starts and ends.
    saved_start: Option<usize>,
    saved_end: Option<usize>,
    /// A literal right after the run; empty if there is none.
    then: Literal,
    /// Where it has to end for its set, the literal begins, or the text ends.
    ends_at_literal: bool,
    next: StepIdx,
}

/// What a run can be followed by, as far as one look at the text can tell.
#[derive(Debug, Clone)]
enum Follow {
    /// Nothing that the run could have taken, or nothing but the start of a literal: it ends where it has to.
    Outside,
    /// A literal whose first byte is in the index.
    Literal { literal: Literal, first: SetIdx },
    /// Bytes of one set; the index may have that, or one that holds it, and maybe all that ends the run, too.
    Bytes { first: First, indexed: Option<SetIdx>, has_outside: bool },
}

/// Where a group lies in a text: its first byte and the one after its last.
pub(super) type GroupRange = [u32; 2];

/// A group that took no part.
pub(super) const NO_GROUP: GroupRange = [UNSET, UNSET];

/// In a slot: there is no such place.
const UNSET: u32 = u32::MAX;

/// What a task needs to run a program, used again for every line.
#[derive(Debug, Default)]
pub(super) struct Memory {
    index: ByteIndex,
    choices: Vec<Choice>,
    /// Slots that were written since the first choice, and what was in them.
    undo: Vec<(usize, u32)>,
    /// Of a row: the places of its separators.
    separators: Vec<usize>,
    first_ways: FirstWays,
    n_tried: u64,
    n_succeeded: u64,
    n_sure: u64,
    n_unsure: u64,
}

/// Lines whose first way may fail beyond as many as succeeded.
const TRIED_MAX: u64 = 1000;

/// Texts that a program may be unsure of beyond those that it answered.
const UNSURE_MAX: u64 = 1000;

/// Longer lines are left to the next tier: an index takes up to a byte for each of theirs.
const LINE_BYTES_MAX: usize = 1 << 20;

impl Memory {
    /// Forgets what is known of the text before: what comes is of another one.
    pub(super) fn start_text(&mut self) {
        self.index.forget();
    }

    /// Where a group lies in each of the lines tried last.
    pub(super) fn group(&self, group_idx: usize) -> impl Fn(usize) -> GroupRange {
        let (starts, ends) = (self.first_ways.slot(2 * group_idx), self.first_ways.slot(2 * group_idx + 1));
        |line_idx| [starts[line_idx], ends[line_idx]]
    }

    #[cfg(test)]
    pub(super) fn n_unsure(&self) -> u64 {
        self.n_unsure
    }
}

impl FieldProgram {
    /// Compiles a pattern that has to match a whole text. Whether it can does not depend on `groups`, each of which is
    /// named once.
    pub(super) fn compile(node: &Node, groups: &[usize]) -> Result<Self, Obstacle> {
        compile::compile(node, groups)
    }

    /// Tries the first lines of a text at once; how many, and the bits of those that match, whose groups
    /// [`Memory::groups`] has. What the others do is not known. No lines if trying has seldom helped.
    ///
    /// The text has to be the same since [`Memory::start_text`].
    pub(super) fn try_lines(
        &self,
        text: &[u8],
        lines: &[RecordRange],
        memory: &mut Memory,
        n_groups: usize,
    ) -> (usize, LineBits) {
        let Memory { index, first_ways, n_tried, n_succeeded, .. } = memory;
        if *n_tried > 2 * *n_succeeded + TRIED_MAX {
            return (0, 0);
        }
        let Some(first) = lines.first() else {
            return (0, 0);
        };
        let in_window = |line: &&RecordRange| line.end as usize <= first.start as usize + WINDOW_BYTES;
        let n_lines = lines.iter().take(LINES_MAX).take_while(in_window).count();
        let lines = &lines[..n_lines];
        let Some(last) = lines.last() else {
            // It is longer than a window.
            return (1, 0);
        };
        index.cover_only(&self.sets, text, first.start as usize..last.end as usize);
        let matching = first_ways.succeed(self, text, lines, index, n_groups * 2);
        *n_tried += n_lines as u64;
        *n_succeeded += u64::from(matching.count_ones());
        (n_lines, matching)
    }

    /// Matches one line of a text, and says where in the text the groups asked for lie if it does.
    ///
    /// The text has to be the same since [`Memory::start_text`]. Where most lines were left to the next tier, all are
    /// from then on.
    pub(super) fn find(
        &self,
        text: &[u8],
        line: Range<usize>,
        memory: &mut Memory,
        groups: &mut [GroupRange],
    ) -> Verdict {
        if memory.n_unsure > memory.n_sure + UNSURE_MAX || line.len() > LINE_BYTES_MAX {
            return Verdict::Unsure;
        }
        memory.index.cover(&self.sets, text, line.clone());
        groups.fill(NO_GROUP);
        let verdict = execute::execute(self, &text[..line.end], line.start, memory, groups.as_flattened_mut());
        match verdict {
            Verdict::Match | Verdict::NoMatch => memory.n_sure += 1,
            Verdict::Unsure => memory.n_unsure += 1,
        }
        verdict
    }
}

#[cfg(test)]
mod tests;
