//! The first way of many lines at once, one step after the other.
//!
//! What a step is and where its set lies in the index is looked up once for all lines, and a line whose way goes on
//! leaves nothing behind but its place and its groups: no other ways, and nothing to undo. A line whose first way
//! succeeds has its answer, since that is the one that Java finds; one whose first way fails is left to
//! [`execute`](super::execute), which begins again.
//!
//! A step stands in the list after those that can follow it. So going through the list from its end each line is met at
//! every step of its way, whatever alternatives it takes.

use super::super::byte_index::{ByteIndex, IndexWork, Places};
use super::super::byte_set::First;
use super::fields::{FieldBounds, Fields};
use super::line::{Line, character_len};
use super::row::{Row, Split};
use super::{FieldProgram, Follow, Literal, Run, RunEnd, Step, StepIdx, UNSET};
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
    /// Lines whose way has not failed, and maybe some of which it has.
    alive: LineBits,
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
        self.alive = all_of(lines.len());
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
            Step::Fields { fields, next } => self.take_fields(fields, *next, here, lines),
            Step::TailedField { field, next } => {
                let mut failed = 0;
                for line_idx in each(here) {
                    let (line, position) = lines.get(line_idx);
                    match field.find(line.text, line.index, position) {
                        None => failed |= 1 << line_idx,
                        Some(bounds) => {
                            for &(slot, bound_idx) in &field.saved {
                                self.slots[slot][line_idx] = bounds[bound_idx] as u32;
                            }
                            lines.positions[line_idx] = bounds[3] as u32 + 1;
                        }
                    }
                }
                self.go_on(*next, here, failed);
            }
            Step::Row { row, next, plain } => self.take_row(row, *next, *plain, here, lines),
            Step::Literal { literal, next } => {
                let mut failed = 0;
                for line_idx in each(here) {
                    let (line, position) = lines.get(line_idx);
                    if literal.is_at(line.text, position) {
                        lines.positions[line_idx] = (position + literal.len()) as u32;
                    } else {
                        failed |= 1 << line_idx;
                    }
                }
                self.go_on(*next, here, failed);
            }
            Step::One { first, next } => {
                let mut failed = 0;
                for line_idx in each(here) {
                    let (line, position) = lines.get(line_idx);
                    if first.allows(line.text, position) {
                        lines.positions[line_idx] = (position + character_len(line.text[position])) as u32;
                    } else {
                        failed |= 1 << line_idx;
                    }
                }
                self.go_on(*next, here, failed);
            }
            Step::Test { assertion, next } => {
                let mut failed = 0;
                for line_idx in each(here) {
                    let (line, position) = lines.get(line_idx);
                    if !line.holds(*assertion, position) {
                        failed |= 1 << line_idx;
                    }
                }
                self.go_on(*next, here, failed);
            }
            Step::Save { slot, next } => {
                self.save(*slot, here, &lines.positions, 0);
                self.go_on(*next, here, 0);
            }
            Step::Split(branches) => {
                let mut left = here;
                for (first, next) in branches {
                    let mut others = 0;
                    for line_idx in each(left) {
                        let (line, position) = lines.get(line_idx);
                        others |= u64::from(!first.allows(line.text, position)) << line_idx;
                    }
                    self.waiting[*next] |= left & !others;
                    left = others;
                }
                self.alive &= !left;
            }
        }
    }

    /// Lets the lines that did not fail go on.
    #[inline(always)]
    fn go_on(&mut self, next: StepIdx, here: LineBits, failed: LineBits) {
        self.waiting[next] |= here & !failed;
        self.alive &= !failed;
    }

    #[inline(always)]
    fn take_run(&mut self, run: &Run, here: LineBits, lines: &mut Lines<'_>) {
        let is_unlimited = run.max.is_none() && run.min <= 1;
        match (&run.end, &run.follow) {
            (RunEnd::Indexed(set), Follow::Outside) if is_unlimited => {
                let end = WhereItHasTo { outside: lines.index.places(*set), min: run.min, n_held: run.n_held };
                match *run.then.bytes {
                    [] => self.end_run(run, here, lines, end, Nothing),
                    [_] if run.ends_at_literal => self.end_run(run, here, lines, end, WhatEndsIt),
                    [byte] => self.end_run(run, here, lines, end, Byte(byte)),
                    _ => self.end_run(run, here, lines, end, Literally(&run.then)),
                }
            }
            (RunEnd::Indexed(set), Follow::Outside) if run.is_ascii => {
                let max = run.max.unwrap_or(usize::MAX);
                let end = Counted { outside: lines.index.places(*set), min: run.min, max };
                self.end_run(run, here, lines, end, Literally(&run.then));
            }
            (RunEnd::Indexed(set), Follow::Bytes { first, .. }) if is_unlimited && !run.lazy => {
                let end = LongestIfItCan { outside: lines.index.places(*set), first, run };
                self.end_run(run, here, lines, end, Literally(&run.then));
            }
            (_, Follow::Bytes { first, indexed: Some(around), has_outside: true })
                if run.lazy && run.min == 0 && run.max.is_none() =>
            {
                let end = ShortestIfItCan { around: lines.index.places(*around), first, run };
                self.end_run(run, here, lines, end, Literally(&run.then));
            }
            (RunEnd::TextEnd, Follow::Outside) if is_unlimited => {
                self.end_run(run, here, lines, LineEnd { min: run.min }, Literally(&run.then));
            }
            (RunEnd::TextEnd | RunEnd::Indexed(_), Follow::Literal { literal, first }) if is_unlimited && !run.lazy => {
                let outside = match run.end {
                    RunEnd::Indexed(set) => Some(lines.index.places(set)),
                    _ => None,
                };
                let end = LastLiteral { outside, literal, places: lines.index.places(*first), run };
                self.end_run(run, here, lines, end, AfterRun(run));
            }
            _ => self.end_run(run, here, lines, AnyEnd(run), AfterRun(run)),
        }
    }

    /// Takes a run in the way to try first, with what comes with it.
    #[inline(always)]
    fn end_run(&mut self, run: &Run, here: LineBits, lines: &mut Lines<'_>, end: impl FirstEnd, then: impl Then) {
        if let Some(slot) = run.saved_start {
            self.save(slot, here, &lines.positions, 0);
        }
        let mut failed = 0;
        for line_idx in each(here) {
            let (line, position) = lines.get(line_idx);
            match end.first_end(line, position).and_then(|end| then.after(line, end)) {
                Some(after) => lines.positions[line_idx] = after as u32,
                None => failed |= 1 << line_idx,
            }
        }
        self.go_on(run.next, here, failed);
        if let Some(slot) = run.saved_end {
            self.save(slot, here & !failed, &lines.positions, run.then.len() as u32);
        }
    }

    /// Keeps a place of each line, which stands before its position by some bytes.
    #[inline(always)]
    fn save(&mut self, slot: usize, here: LineBits, positions: &ByLine, n_before: u32) {
        let places = &mut self.slots[slot];
        if here == self.alive {
            // Of lines that have failed, nothing is asked.
            for (place, position) in places.iter_mut().zip(positions) {
                *place = position.wrapping_sub(n_before);
            }
        } else {
            for line_idx in each(here) {
                places[line_idx] = positions[line_idx] - n_before;
            }
        }
    }

    #[inline(always)]
    fn take_fields(&mut self, fields: &Fields, next: StepIdx, here: LineBits, lines: &mut Lines<'_>) {
        let failed = if fields.saved.is_empty() {
            self.take_fields_that::<false>(fields, here, lines)
        } else {
            self.take_fields_that::<true>(fields, here, lines)
        };
        self.go_on(next, here, failed);
    }

    /// Takes fields of which some are to be kept, or none; gives the lines that failed.
    #[inline(always)]
    fn take_fields_that<const KEEPS: bool>(
        &mut self,
        fields: &Fields,
        here: LineBits,
        lines: &mut Lines<'_>,
    ) -> LineBits {
        let outside = lines.index.places(fields.outside);
        let mut bounds = FieldBounds::default();
        let mut failed = 0;
        for line_idx in each(here) {
            let (line, position) = lines.get(line_idx);
            match fields.find::<KEEPS>(line.text, outside, position, &mut bounds) {
                None => failed |= 1 << line_idx,
                Some(after) => {
                    if KEEPS {
                        for &(slot, bound_idx, n_less) in &fields.saved {
                            self.slots[slot][line_idx] = bounds[bound_idx] - n_less;
                        }
                    }
                    lines.positions[line_idx] = after as u32;
                }
            }
        }
        failed
    }

    /// Splits a row by counting; lines for which that says nothing take its `plain` steps.
    #[inline(always)]
    fn take_row(&mut self, row: &Row, next: StepIdx, plain: StepIdx, here: LineBits, lines: &mut Lines<'_>) {
        let index = row.index(lines.index);
        let (mut failed, mut unknown) = (0, 0);
        for line_idx in each(here) {
            let (line, start) = lines.get(line_idx);
            match row.split(line.text, &index, start, &mut self.separators) {
                Split::Impossible => failed |= 1 << line_idx,
                Split::Unknown => unknown |= 1 << line_idx,
                Split::At(end) => {
                    for &(slot, field) in row.saved() {
                        let (start, end) = field.range(start, &self.separators);
                        self.slots[slot][line_idx] = start as u32;
                        self.slots[slot + 1][line_idx] = end as u32;
                    }
                    lines.positions[line_idx] = end as u32;
                }
            }
        }
        self.waiting[plain] |= unknown;
        self.go_on(next, here & !unknown, failed);
    }
}

/// Where to end a run first. As traits and not as closures, since these are seldom put in line, and elsewhere the
/// instructions of the index are not used.
trait FirstEnd {
    fn first_end(&self, line: Line<'_>, position: usize) -> Option<usize>;
}

/// What stands after a run.
trait Then {
    fn after(&self, line: Line<'_>, end: usize) -> Option<usize>;
}

/// The run ends before the first byte that is not of its set, and the literal that leads there.
struct WhereItHasTo<'a> {
    outside: Places<'a>,
    min: usize,
    n_held: usize,
}

impl FirstEnd for WhereItHasTo<'_> {
    #[inline(always)]
    fn first_end(&self, line: Line<'_>, position: usize) -> Option<usize> {
        let end = self.outside.next(position, line.text.len());
        (end >= position + self.min + self.n_held).then(|| end - self.n_held)
    }
}

/// As `WhereItHasTo`, and limited in bytes.
struct Counted<'a> {
    outside: Places<'a>,
    min: usize,
    max: usize,
}

impl FirstEnd for Counted<'_> {
    #[inline(always)]
    fn first_end(&self, line: Line<'_>, position: usize) -> Option<usize> {
        let end = self.outside.next(position, line.text.len()).min(position.saturating_add(self.max));
        (end >= position + self.min).then_some(end)
    }
}

/// The longest run, if what follows can begin there.
struct LongestIfItCan<'a> {
    outside: Places<'a>,
    first: &'a First,
    run: &'a Run,
}

impl FirstEnd for LongestIfItCan<'_> {
    #[inline(always)]
    fn first_end(&self, line: Line<'_>, position: usize) -> Option<usize> {
        let longest = self.outside.next(position, line.text.len());
        if longest >= position + self.run.min && self.first.allows(line.text, longest) {
            return Some(longest);
        }
        line.first_run_end(self.run, line.run_limits(self.run, position, longest)?)
    }
}

/// The shortest run: no byte before the first of those that can follow or end it is any of these.
struct ShortestIfItCan<'a> {
    around: Places<'a>,
    first: &'a First,
    run: &'a Run,
}

impl FirstEnd for ShortestIfItCan<'_> {
    #[inline(always)]
    fn first_end(&self, line: Line<'_>, position: usize) -> Option<usize> {
        let found = self.around.next(position, line.text.len());
        if found < line.text.len() && self.first.allows(line.text, found) {
            return Some(found);
        }
        AnyEnd(self.run).first_end(line, position)
    }
}

struct LineEnd {
    min: usize,
}

impl FirstEnd for LineEnd {
    #[inline(always)]
    fn first_end(&self, line: Line<'_>, position: usize) -> Option<usize> {
        (line.text.len() >= position + self.min).then_some(line.text.len())
    }
}

/// The last place of what follows, which leaves as much as is needed.
struct LastLiteral<'a> {
    /// What ends the run, if it is not the end of the line.
    outside: Option<Places<'a>>,
    literal: &'a Literal,
    places: Places<'a>,
    run: &'a Run,
}

impl FirstEnd for LastLiteral<'_> {
    #[inline(always)]
    fn first_end(&self, line: Line<'_>, position: usize) -> Option<usize> {
        let len = line.text.len();
        let longest = self.outside.map_or(len, |outside| outside.next(position, len));
        let longest = if self.run.needed.is_empty() { longest } else { line.bounded(self.run, position, longest)? };
        let mut end = len.min(longest + 1);
        loop {
            end = self.places.last(position + self.run.min..end)?;
            if self.literal.is_at(line.text, end) {
                return Some(end);
            }
        }
    }
}

struct AnyEnd<'a>(&'a Run);

impl FirstEnd for AnyEnd<'_> {
    #[inline(always)]
    fn first_end(&self, line: Line<'_>, position: usize) -> Option<usize> {
        let longest = line.longest_end(self.0, position)?;
        line.first_run_end(self.0, line.run_limits(self.0, position, longest)?)
    }
}

struct Nothing;

impl Then for Nothing {
    #[inline(always)]
    fn after(&self, _: Line<'_>, end: usize) -> Option<usize> {
        Some(end)
    }
}

/// The byte that ended the run, where it was not the end of the line.
struct WhatEndsIt;

impl Then for WhatEndsIt {
    #[inline(always)]
    fn after(&self, line: Line<'_>, end: usize) -> Option<usize> {
        (end < line.text.len()).then_some(end + 1)
    }
}

struct Byte(u8);

impl Then for Byte {
    #[inline(always)]
    fn after(&self, line: Line<'_>, end: usize) -> Option<usize> {
        (line.text.get(end) == Some(&self.0)).then_some(end + 1)
    }
}

struct Literally<'a>(&'a Literal);

impl Then for Literally<'_> {
    #[inline(always)]
    fn after(&self, line: Line<'_>, end: usize) -> Option<usize> {
        self.0.is_at(line.text, end).then(|| end + self.0.len())
    }
}

struct AfterRun<'a>(&'a Run);

impl Then for AfterRun<'_> {
    #[inline(always)]
    fn after(&self, line: Line<'_>, end: usize) -> Option<usize> {
        line.after_run(self.0, end)
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
