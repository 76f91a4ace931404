//! The first way of many lines at once, one step after the other.
//!
//! What a step is and where its set lies in the index is looked up once for all lines, and a line whose way goes on
//! leaves nothing behind but its place and its groups: no other ways, and nothing to undo. A line whose first way
//! succeeds has its answer, since that is the one that Java finds; one whose first way fails is left to
//! [`execute`](super::execute), which begins again.
//!
//! A step stands in the list after those that can follow it. So going through the list from its end each line is met at
//! every step of its way, whatever alternatives it takes.

use super::super::byte_index::{ByteIndex, IndexWork};
use super::line::{Line, character_len};
use super::row::{Row, Split};
use super::{FieldProgram, Follow, Run, RunEnd, Step, StepIdx, UNSET};
use crate::input::RecordRange;

/// Lines that are on their way at once.
pub(in super::super) const LINES_MAX: usize = u64::BITS as usize;

/// Some of the lines, a bit for each.
pub(in super::super) type LineBits = u64;

/// The bits of the first lines.
pub(in super::super) fn all_of(n_lines: usize) -> LineBits {
    LineBits::MAX.checked_shr((LINES_MAX - n_lines.min(LINES_MAX)) as u32).unwrap_or(0)
}

/// A number for each line.
type ByLine = [u32; LINES_MAX];

/// What is known of the lines on their way; used again for others.
#[derive(Debug, Default)]
pub(super) struct FirstWays {
    /// The lines that have come to each step and not yet taken it.
    waiting: Vec<LineBits>,
    /// Places in the text, by slot. They mean nothing for lines whose way has failed.
    slots: Vec<ByLine>,
    /// Of a row: the places of its separators.
    separators: Vec<usize>,
}

/// The lines of a text, and how far each has come.
struct Lines<'a> {
    text: &'a [u8],
    index: &'a ByteIndex,
    starts: ByLine,
    ends: ByLine,
    positions: ByLine,
}

impl FirstWays {
    /// The bits of those lines whose first way succeeds. The index has to cover all of them.
    pub(super) fn succeed(
        &mut self,
        program: &FieldProgram,
        text: &[u8],
        lines: &[RecordRange],
        index: &ByteIndex,
        n_slots: usize,
    ) -> LineBits {
        let mut on_their_way = Lines { text, index, starts: [0; _], ends: [0; _], positions: [0; _] };
        for (line_idx, line) in lines.iter().take(LINES_MAX).enumerate() {
            on_their_way.starts[line_idx] = line.start;
            on_their_way.ends[line_idx] = line.end;
        }
        on_their_way.positions = on_their_way.starts;
        self.slots.clear();
        self.slots.resize(n_slots, [UNSET; LINES_MAX]);
        self.waiting.clear();
        self.waiting.resize(program.steps.len(), 0);
        self.waiting[program.start] = all_of(lines.len());
        index.run(AllSteps { ways: self, steps: &program.steps, lines: on_their_way })
    }

    /// Where the places in a slot are, by line.
    pub(super) fn slot(&self, slot: usize) -> &ByLine {
        &self.slots[slot]
    }

    #[inline(always)]
    fn take_step(&mut self, step: &Step, here: LineBits, lines: &mut Lines<'_>) {
        match step {
            Step::End => {}
            Step::Run(run) => self.take_run(run, here, lines),
            Step::Row { row, next, plain } => self.take_row(row, *next, *plain, here, lines),
            Step::Literal { literal, next } => {
                for line_idx in each(here) {
                    let (line, position) = lines.get(line_idx);
                    if literal.is_at(line.text, position) {
                        self.go_on(line_idx, lines, *next, position + literal.len());
                    }
                }
            }
            Step::One { first, next } => {
                for line_idx in each(here) {
                    let (line, position) = lines.get(line_idx);
                    if first.allows(line.text, position) {
                        let after = position + character_len(line.text[position]);
                        self.go_on(line_idx, lines, *next, after);
                    }
                }
            }
            Step::Test { assertion, next } => {
                for line_idx in each(here) {
                    let (line, position) = lines.get(line_idx);
                    if line.holds(*assertion, position) {
                        self.go_on(line_idx, lines, *next, position);
                    }
                }
            }
            Step::Save { slot, next } => {
                for line_idx in each(here) {
                    let (_, position) = lines.get(line_idx);
                    self.slots[*slot][line_idx] = position as u32;
                    self.go_on(line_idx, lines, *next, position);
                }
            }
            Step::Split(branches) => {
                for line_idx in each(here) {
                    let (line, position) = lines.get(line_idx);
                    if let Some((_, next)) = branches.iter().find(|(first, _)| first.allows(line.text, position)) {
                        self.go_on(line_idx, lines, *next, position);
                    }
                }
            }
        }
    }

    /// Notes that a line has come to a step.
    #[inline(always)]
    fn go_on(&mut self, line_idx: usize, lines: &mut Lines<'_>, next: StepIdx, position: usize) {
        lines.positions[line_idx] = position as u32;
        self.waiting[next] |= 1 << line_idx;
    }

    #[inline(always)]
    fn take_run(&mut self, run: &Run, here: LineBits, lines: &mut Lines<'_>) {
        match &run.end {
            RunEnd::Indexed(set) => {
                let outside = lines.index.places(*set);
                self.end_run(run, here, lines, |line, position| outside.next(position, line.text.len()))
            }
            RunEnd::TextEnd => self.end_run(run, here, lines, |line, _| line.text.len()),
            RunEnd::Table(_) => self.end_run(run, here, lines, |line, position| line.longest_end(&run.end, position)),
        }
    }

    /// Takes a run in the way to try first, with what comes with it.
    #[inline(always)]
    fn end_run(
        &mut self,
        run: &Run,
        here: LineBits,
        lines: &mut Lines<'_>,
        longest_end: impl Fn(Line<'_>, usize) -> usize,
    ) {
        let ends_where_it_has_to = matches!(run.follow, Follow::Outside) && run.min <= 1 && run.max.is_none();
        let mut gone_on = 0;
        for line_idx in each(here) {
            let (line, position) = lines.get(line_idx);
            let longest = longest_end(line, position);
            let end = if ends_where_it_has_to {
                (longest >= position + run.min).then_some(longest)
            } else {
                line.run_limits(run, position, longest).and_then(|limits| line.first_run_end(run, limits))
            };
            let Some((end, after)) = end.and_then(|end| Some((end, line.after_run(run, end)?))) else {
                continue;
            };
            if let Some(slot) = run.saved_start {
                self.slots[slot][line_idx] = position as u32;
            }
            if let Some(slot) = run.saved_end {
                self.slots[slot][line_idx] = end as u32;
            }
            lines.positions[line_idx] = after as u32;
            gone_on |= 1 << line_idx;
        }
        self.waiting[run.next] |= gone_on;
    }

    /// Splits a row by counting; lines for which that says nothing take its `plain` steps.
    #[inline(always)]
    fn take_row(&mut self, row: &Row, next: StepIdx, plain: StepIdx, here: LineBits, lines: &mut Lines<'_>) {
        let index = row.index(lines.index);
        for line_idx in each(here) {
            let (line, start) = lines.get(line_idx);
            match row.split(line.text, &index, start, &mut self.separators) {
                Split::Impossible => {}
                Split::Unknown => self.go_on(line_idx, lines, plain, start),
                Split::At(end) => {
                    for &(slot, field) in row.saved() {
                        let (start, end) = field.range(start, &self.separators);
                        self.slots[slot][line_idx] = start as u32;
                        self.slots[slot + 1][line_idx] = end as u32;
                    }
                    self.go_on(line_idx, lines, next, end);
                }
            }
        }
    }
}

/// All lines on their way through all steps; gives the bits of those that come to the end.
struct AllSteps<'a> {
    ways: &'a mut FirstWays,
    steps: &'a [Step],
    lines: Lines<'a>,
}

impl IndexWork for AllSteps<'_> {
    type Output = LineBits;

    #[inline(always)]
    fn run(self) -> LineBits {
        let AllSteps { ways, steps, mut lines } = self;
        for (step_idx, step) in steps.iter().enumerate().rev() {
            let here = std::mem::take(&mut ways.waiting[step_idx]);
            if here == 0 {
                continue;
            }
            if matches!(step, Step::End) {
                let at_end = |&line_idx: &usize| lines.positions[line_idx] == lines.ends[line_idx];
                return each(here).filter(at_end).fold(0, |bits, line_idx| bits | 1 << line_idx);
            }
            ways.take_step(step, here, &mut lines);
        }
        0
    }
}

impl<'a> Lines<'a> {
    /// A line, and how far it has come.
    #[inline(always)]
    fn get(&self, line_idx: usize) -> (Line<'a>, usize) {
        let (start, end) = (self.starts[line_idx] as usize, self.ends[line_idx] as usize);
        (Line { text: &self.text[..end], start, index: self.index }, self.positions[line_idx] as usize)
    }
}

/// The lines whose bits are set.
#[inline(always)]
fn each(bits: LineBits) -> EachLine {
    EachLine(bits)
}

struct EachLine(LineBits);

impl Iterator for EachLine {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        let line_idx = self.0.trailing_zeros() as usize;
        self.0 &= self.0.wrapping_sub(1);
        (line_idx < LINES_MAX).then_some(line_idx)
    }
}
