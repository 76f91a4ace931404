//! Makes steps of a tree, from its end to its start, so that each step knows what can come after it.

use std::collections::BTreeMap;
use std::ops::Range;

use regex_syntax::hir::ClassUnicode;

use super::super::byte_index::{IndexedSets, SetIdx};
use super::super::byte_set::{ByteSet, First};
use super::super::source::source;
use super::fields;
use super::row::{Row, RowRun};
use super::tailed_field::TailedField;
use super::{FieldProgram, Follow, Literal, Obstacle, Run, RunEnd, Step, StepIdx, TextEnd};
use crate::java_regex::{Assertion, Node, RepeatMode};

/// Parts that a pattern may have once its repetitions are written out: `(?:…){8}` in `(?:…){8}` grows fast.
const PARTS_MAX: usize = 5000;
/// A group that is repeated a fixed number of times, at most this often, is written out.
const WRITTEN_OUT_MAX: u32 = 8;
/// Literals are put together up to this many bytes.
const LITERAL_BYTES_MAX: usize = 64;
/// Bytes of which a run that can take everything leaves as many as the rest needs.
const NEEDED_MAX: usize = 2;
/// Shorter rows are matched run by run.
const ROW_FIELDS_MIN: usize = 3;

pub(super) fn compile(node: &Node, groups: &[usize]) -> Result<FieldProgram, Obstacle> {
    let mut compiler = Compiler {
        steps: Vec::new(),
        firsts: Vec::new(),
        needs: Vec::new(),
        sets: IndexedSets::default(),
        in_plain_row: false,
        groups,
        n_parts: 0,
    };
    let end = compiler.push(Step::End, First { bytes: ByteSet::default(), at_end: true });
    let start = compiler.node(node, end)?;
    fields::put_together(&mut compiler.steps);
    Ok(FieldProgram { steps: compiler.steps, start, sets: compiler.sets })
}

struct Compiler<'a> {
    steps: Vec<Step>,
    /// What a match of the text can begin with from each step on.
    firsts: Vec<First>,
    /// Bytes that every match has from each step on.
    needs: Vec<Needs>,
    sets: IndexedSets,
    /// These are the steps of a row that is nearly always split by counting: they have to do without the index.
    in_plain_row: bool,
    groups: &'a [usize],
    n_parts: usize,
}

type Compiled = Result<StepIdx, Obstacle>;

impl Compiler<'_> {
    fn push(&mut self, step: Step, first: First) -> StepIdx {
        self.needs.push(Needs::of(&step, &self.needs));
        self.steps.push(step);
        self.firsts.push(first);
        self.steps.len() - 1
    }

    /// How to find the first byte that is not of the set.
    fn run_end(&mut self, set: ByteSet) -> RunEnd {
        let outside = set.complement();
        if outside == ByteSet::default() {
            return RunEnd::TextEnd;
        }
        let indexed = if self.in_plain_row { None } else { self.sets.add(outside) };
        indexed.map_or_else(|| RunEnd::Table(set.table()), RunEnd::Indexed)
    }

    /// The slot in which the start of a group is kept.
    fn slot(&self, group: usize) -> Option<usize> {
        self.groups.iter().position(|&asked| asked == group).map(|group_idx| group_idx * 2)
    }

    /// Compiles what comes before the step `next`.
    fn node(&mut self, node: &Node, next: StepIdx) -> Compiled {
        self.n_parts += 1;
        if self.n_parts > PARTS_MAX {
            return Err(obstacle(node, "is one of too many parts, repetitions written out"));
        }
        match node {
            Node::Empty => Ok(next),
            Node::Set(class) => self.set(node, class, next),
            Node::Assertion(assertion) => {
                let assertion = match assertion {
                    Assertion::Start => TextEnd::Start,
                    Assertion::End => TextEnd::End,
                    Assertion::EndBeforeBreak => TextEnd::EndBeforeBreak,
                    Assertion::LineStart | Assertion::LineEnd => {
                        return Err(obstacle(node, "is the start or end of a line inside of the text"));
                    }
                    Assertion::WordBoundary | Assertion::NotWordBoundary => {
                        return Err(obstacle(node, "looks at the characters around it"));
                    }
                };
                let first = self.firsts[next];
                Ok(self.push(Step::Test { assertion, next }, first))
            }
            Node::Capture { group, node } => match self.slot(*group) {
                None => self.node(node, next),
                Some(slot) => {
                    let end = self.push(Step::Save { slot: slot + 1, next }, self.firsts[next]);
                    let body = self.node(node, end)?;
                    // A run that was made for this group keeps its start itself.
                    match &mut self.steps[body] {
                        Step::Run(run) if body > end && run.saved_start.is_none() => run.saved_start = Some(slot),
                        Step::TailedField { field, .. } if body > end => field.save_start(slot),
                        _ => return Ok(self.push(Step::Save { slot, next: body }, self.firsts[body])),
                    }
                    Ok(body)
                }
            },
            Node::Concat(nodes) => self.sequence(nodes, next),
            Node::Alternate(nodes) => {
                if let Some((run, class)) = run_for_all(nodes)
                    && !byte_set(run, class)?.intersects(self.firsts[next].bytes)
                {
                    return self.run(run, class, next);
                }
                let branches = nodes.iter().map(|node| self.node(node, next)).collect::<Result<Vec<_>, _>>()?;
                Ok(self.split(&branches))
            }
            Node::Repeat { node: repeated, min, max, mode } => match (&**repeated, min, max, mode) {
                // Beyond ASCII one character is several bytes: a literal, not a set.
                (Node::Set(class), ..) if single(class).is_none_or(|character| character.is_ascii()) => {
                    self.run(node, class, next)
                }
                (_, 0, Some(1), RepeatMode::Greedy) => {
                    let taken = self.node(repeated, next)?;
                    Ok(self.split(&[taken, next]))
                }
                (_, 0, Some(1), RepeatMode::Lazy) => {
                    let taken = self.node(repeated, next)?;
                    Ok(self.split(&[next, taken]))
                }
                (_, 1..=WRITTEN_OUT_MAX, Some(max), RepeatMode::Greedy | RepeatMode::Lazy) if min == max => {
                    (0..*min).try_fold(next, |next, _| self.node(repeated, next))
                }
                (Node::Set(class), ..) => self.run(node, class, next),
                _ => Err(obstacle(node, "repeats a group")),
            },
            Node::Look { .. } => Err(obstacle(node, "looks around")),
            Node::Atomic(_) => Err(obstacle(node, "is atomic")),
            Node::Backreference(_) => Err(obstacle(node, "is a back-reference")),
        }
    }

    fn set(&mut self, node: &Node, class: &ClassUnicode, next: StepIdx) -> Compiled {
        let Some(character) = single(class) else {
            let bytes = byte_set(node, class)?.first_bytes();
            let first = First { bytes, at_end: false };
            return Ok(self.push(Step::One { first, next }, first));
        };
        let mut bytes = character.to_string().into_bytes();
        let mut first = First::default();
        first.bytes.insert(bytes[0]);
        let next = match &self.steps[next] {
            Step::Literal { literal: following, next } if bytes.len() + following.len() <= LITERAL_BYTES_MAX => {
                bytes.extend_from_slice(&following.bytes);
                *next
            }
            _ => next,
        };
        Ok(self.push(Step::Literal { literal: Literal::new(&bytes), next }, first))
    }

    fn run(&mut self, node: &Node, class: &ClassUnicode, next: StepIdx) -> Compiled {
        let Node::Repeat { min, max, mode, .. } = node else {
            return Err(obstacle(node, "is no run"));
        };
        let set = byte_set(node, class)?;
        let following = self.firsts[next];
        let mut first = First { bytes: set.first_bytes(), at_end: false };
        if *min == 0 {
            first = first.union(following);
        }
        let is_simple = *min <= 1 && max.is_none() && *mode != RepeatMode::Possessive;
        if is_simple
            && !self.in_plain_row
            && let Some((field, next)) = TailedField::new(set, *min as usize, &self.steps, next, &mut self.sets)
        {
            return Ok(self.push(Step::TailedField { field, next }, first));
        }
        let literal = self.literal(next);
        let n_held = literal.as_ref().and_then(|literal| literal.bytes.iter().position(|&byte| !set.contains(byte)));
        let n_held = n_held.filter(|_| is_simple).unwrap_or(0);
        let follow = if *mode == RepeatMode::Possessive || !set.intersects(following.bytes) || n_held > 0 {
            Follow::Outside
        } else if let Some(literal) = literal
            && let Some(first) = self.sets.add(ByteSet::of_byte(literal.bytes[0]))
        {
            Follow::Literal { literal, first }
        } else {
            // The shortest end has to be searched for, and the longest is nearly always it.
            let is_searched = *mode == RepeatMode::Lazy && !following.at_end;
            let added = if is_searched { self.sets.add(following.bytes) } else { None };
            let indexed = added.or_else(|| self.sets.find_around(following.bytes));
            let has_outside = indexed.is_some_and(|around| set.complement().is_subset(self.sets.set(around)));
            Follow::Bytes { first: following, indexed, has_outside }
        };
        let needed = if *mode == RepeatMode::Greedy && set.complement() == ByteSet::default() {
            self.needs[next].indexed(&self.sets)
        } else {
            Box::default()
        };
        // What comes right after becomes a part of this step; the steps that were made for it stay, for others.
        let (mut saved_end, mut then, mut next) = (None, Literal::default(), next);
        if let Step::Save { slot, next: after } = self.steps[next]
            && slot % 2 == 1
        {
            (saved_end, next) = (Some(slot), after);
        }
        if let Step::Literal { literal, next: after } = &self.steps[next] {
            (then, next) = (literal.clone(), *after);
        }
        let run = Run {
            end: self.run_end(set),
            min: *min as usize,
            max: max.map(|max| max as usize),
            is_ascii: !set.has_beyond_ascii(),
            lazy: *mode == RepeatMode::Lazy,
            needed,
            follow,
            n_held,
            saved_start: None,
            saved_end,
            // One that may end for its length ends anywhere.
            ends_at_literal: max.is_none()
                && matches!(*then.bytes, [byte] if set.complement() == ByteSet::of_byte(byte)),
            then,
            next,
        };
        Ok(self.push(Step::Run(run), first))
    }

    /// The literal that a step begins with, whatever groups begin or end in it.
    fn literal(&self, mut step: StepIdx) -> Option<Literal> {
        let mut bytes = Vec::new();
        loop {
            match &self.steps[step] {
                Step::Save { next, .. } => step = *next,
                Step::Literal { literal, next } => {
                    bytes.extend_from_slice(&literal.bytes);
                    step = *next;
                }
                _ => break,
            }
        }
        bytes.truncate(LITERAL_BYTES_MAX);
        (!bytes.is_empty()).then(|| Literal::new(&bytes))
    }

    fn split(&mut self, branches: &[StepIdx]) -> StepIdx {
        let branches: Vec<_> = branches.iter().map(|&branch| (self.firsts[branch], branch)).collect();
        let first = branches.iter().fold(First::default(), |first, (branch, _)| first.union(*branch));
        self.push(Step::Split(branches.into()), first)
    }

    fn sequence(&mut self, nodes: &[Node], mut next: StepIdx) -> Compiled {
        let mut parts = Vec::new();
        flatten(nodes, &mut parts);
        let mut rows = find_rows(&parts);
        let mut end = parts.len();
        while end > 0 {
            match rows.pop_if(|row| row.parts.end == end) {
                None => {
                    end -= 1;
                    next = self.node(parts[end], next)?;
                }
                Some(row) => {
                    let was_in_plain_row = std::mem::replace(&mut self.in_plain_row, true);
                    let plain =
                        parts[row.parts.clone()].iter().rev().try_fold(next, |next, part| self.node(part, next))?;
                    self.in_plain_row = was_in_plain_row;
                    let needed_after = parts[end..].iter().find_map(|part| needed_byte(part));
                    next = self.row(&row, needed_after, next, plain);
                    end = row.parts.start;
                }
            }
        }
        Ok(next)
    }

    fn row(&mut self, shape: &RowShape, needed_after: Option<u8>, next: StepIdx, plain: StepIdx) -> StepIdx {
        let run = |field: &FieldShape| RowRun {
            may_be_empty: field.may_be_empty,
            set: field.set,
            slots: field.groups.iter().filter_map(|&group| self.slot(group)).collect(),
        };
        let runs: Vec<_> = shape.fields.iter().map(run).collect();
        match Row::new(shape.separators, &runs, needed_after, &mut self.sets) {
            None => plain,
            Some(row) => self.push(Step::Row { row: Box::new(row), next, plain }, self.firsts[plain]),
        }
    }
}

/// Bytes that a match has, and at least how often.
#[derive(Debug, Clone, Default)]
struct Needs(BTreeMap<u8, usize>);

impl Needs {
    /// What a step needs, together with those after it.
    fn of(step: &Step, needs: &[Needs]) -> Self {
        match step {
            Step::End | Step::Fields { .. } => Needs::default(),
            Step::Literal { literal, next } => needs[*next].with(&literal.bytes),
            Step::Run(run) => needs[run.next].with(&run.then.bytes),
            Step::TailedField { field, next } => needs[*next].with(&[field.end]),
            Step::One { next, .. } | Step::Save { next, .. } | Step::Test { next, .. } | Step::Row { next, .. } => {
                needs[*next].clone()
            }
            Step::Split(branches) => {
                let both = |needed: Needs, other: &Needs| {
                    let least = |(byte, n): (u8, usize)| Some((byte, n.min(*other.0.get(&byte)?)));
                    Needs(needed.0.into_iter().filter_map(least).collect())
                };
                let mut branches = branches.iter().map(|(_, branch)| &needs[*branch]);
                branches.next().map_or_else(Needs::default, |first| branches.fold(first.clone(), both))
            }
        }
    }

    fn with(&self, bytes: &[u8]) -> Self {
        let mut needs = self.clone();
        for &byte in bytes {
            *needs.0.entry(byte).or_default() += 1;
        }
        needs
    }

    /// The bytes that are needed most often, more than once, with their sets.
    fn indexed(&self, sets: &IndexedSets) -> Box<[(SetIdx, usize)]> {
        let several = self.0.iter().filter(|(_, n)| **n > 1);
        let mut needed: Vec<_> =
            several.filter_map(|(byte, n)| Some((sets.find(ByteSet::of_byte(*byte))?, *n))).collect();
        needed.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        needed.truncate(NEEDED_MAX);
        needed.into()
    }
}

fn obstacle(node: &Node, reason: &'static str) -> Obstacle {
    Obstacle { part: source(node), reason }
}

fn byte_set(node: &Node, class: &ClassUnicode) -> Result<ByteSet, Obstacle> {
    ByteSet::of_characters(class).ok_or_else(|| obstacle(node, "tells characters beyond ASCII apart"))
}

/// The character of a set of one.
fn single(class: &ClassUnicode) -> Option<char> {
    match class.ranges() {
        [range] if range.start() == range.end() => Some(range.start()),
        _ => None,
    }
}

fn flatten<'a>(nodes: &'a [Node], parts: &mut Vec<&'a Node>) {
    for node in nodes {
        match node {
            Node::Concat(nodes) => flatten(nodes, parts),
            node => parts.push(node),
        }
    }
}

/// A byte that every match of the node has.
fn needed_byte(node: &Node) -> Option<u8> {
    match node {
        Node::Set(class) => single(class).and_then(|character| character.to_string().bytes().next()),
        Node::Capture { node, .. } => needed_byte(node),
        Node::Repeat { node, min: 1.., .. } => needed_byte(node),
        Node::Concat(nodes) => nodes.iter().find_map(needed_byte),
        _ => None,
    }
}

/// The branch that is a run of any length, if the others are characters of it or nothing: `-|[-0-9]*`. Where what follows
/// can begin with none of them, the run takes what any of the others takes, and to the same end.
fn run_for_all<'a>(branches: &'a [Node]) -> Option<(&'a Node, &'a ClassUnicode)> {
    let run = |node: &'a Node| match node {
        Node::Repeat { node: repeated, min: 0, max: None, mode: RepeatMode::Greedy } => match &**repeated {
            Node::Set(class) if single(class).is_none() => Some((node, class)),
            _ => None,
        },
        _ => None,
    };
    let (run_node, class) = branches.iter().find_map(run)?;
    let is_in_run = |node: &Node| match node {
        Node::Empty => true,
        Node::Set(other) => {
            let mut outside = other.clone();
            outside.difference(class);
            outside.ranges().is_empty()
        }
        node => std::ptr::eq(node, run_node),
    };
    branches.iter().all(is_in_run).then_some((run_node, class))
}

/// Parts of a sequence that [`Row`] can split.
struct RowShape {
    parts: Range<usize>,
    separators: ByteSet,
    fields: Vec<FieldShape>,
}

struct FieldShape {
    may_be_empty: bool,
    set: ByteSet,
    groups: Vec<usize>,
}

/// The rows in a sequence, in order, where a field may hold what separates it from the next.
fn find_rows(parts: &[&Node]) -> Vec<RowShape> {
    let mut rows = Vec::new();
    let mut start = 0;
    while start < parts.len() {
        let mut fields = Vec::new();
        let mut separators = None;
        let mut end = start;
        while let [field, separator, ..] = parts[end..]
            && let (Some(field), Some(separator)) = (field_shape(field), separator_set(separator))
            && *separators.get_or_insert(separator) == separator
        {
            fields.push(field);
            end += 2;
        }
        match separators {
            Some(separators) if fields.len() >= ROW_FIELDS_MIN => {
                if fields.iter().any(|field| field.set.intersects(separators)) {
                    rows.push(RowShape { parts: start..end, separators, fields });
                }
                start = end;
            }
            _ => start += 1,
        }
    }
    rows
}

fn field_shape(node: &Node) -> Option<FieldShape> {
    match node {
        Node::Capture { group, node } => {
            let mut field = field_shape(node)?;
            field.groups.push(*group);
            Some(field)
        }
        Node::Repeat { node, min: min @ (0 | 1), max: None, mode: RepeatMode::Greedy | RepeatMode::Lazy } => {
            match &**node {
                Node::Set(class) => Some(FieldShape {
                    may_be_empty: *min == 0,
                    set: ByteSet::of_characters(class)?,
                    groups: Vec::new(),
                }),
                _ => None,
            }
        }
        _ => None,
    }
}

fn separator_set(node: &Node) -> Option<ByteSet> {
    match node {
        Node::Set(class) => ByteSet::of_characters(class),
        Node::Repeat { node, min: 1, mode: RepeatMode::Greedy | RepeatMode::Lazy, .. } => match &**node {
            Node::Set(class) => ByteSet::of_characters(class),
            _ => None,
        },
        _ => None,
    }
}
