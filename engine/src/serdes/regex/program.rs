//! Engines that run a pattern, cheapest first; all give Java's answer.
//!
//! Tier 1 is a [`FieldProgram`]: byte searches, for patterns that are made of runs, separators and alternatives. It
//! leaves lines that it is not sure of, and patterns that it cannot be made from, to one of the others. Tier 2 is linear:
//! the `regex` crate. Tier 3 backtracks under a limit, for look-around, back-references, atomic groups and possessive
//! quantifiers.
//!
//! Compared with JDK 17 on 120,000 random pairs of pattern and text. What differs: a repeated group that can match
//! nothing, `(a*)*`, is left at its last text by these engines and at an empty text by Java; Java gives back what
//! `(a+?)*+` took, though it is possessive.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use regex::bytes;

use super::byte_set::ByteSet;
use super::field_program::{FieldProgram, GroupRange, LineBits, Memory, NO_GROUP, Obstacle, Verdict};
use crate::error::{Error, Result, codes};
use crate::input::RecordRange;
use crate::java_regex::printer::{Dialect, Printer, takes_nothing};
use crate::java_regex::{Assertion, LookDirection, Node, Pattern, RepeatMode, line_ends};
use crate::java_regex::{needs_backtracking, take_last_end, visit};

/// Bytes that one compiled pattern may take: a class repeated thousands of times is legal and large.
const COMPILED_BYTES_MAX: usize = 64 << 20;

/// A pattern of so many characters stays far below that: a class with all characters beyond ASCII takes some kilobytes.
const CHARACTERS_SURE_TO_COMPILE: usize = 1000;

/// Brackets in brackets as the linear engine counts them: each of a pattern's is printed with two more, and `java_regex`
/// takes a hundred.
const NESTED_MAX: u32 = 1000;

/// A pattern with what every program for it shares.
#[derive(Debug)]
pub(super) struct Analysis {
    /// Look-aheads at the very start, taken off the pattern and tested first.
    prefix_tests: Vec<PrefixTest>,
    /// What is left; matched from the start of the text to its end.
    node: Node,
    needs_backtracking: bool,
    /// Why the pattern is none for tier 1.
    obstacle: Option<Obstacle>,
    pub n_groups: usize,
}

#[derive(Debug, Clone)]
struct PrefixTest {
    negative: bool,
    prefix: Prefix,
    source: String,
}

/// What a look-ahead at the start of a text looks for.
#[derive(Debug, Clone)]
enum Prefix {
    /// One character: the first byte tells.
    Character(ByteSet),
    Regex(bytes::Regex),
}

/// A pattern compiled for the groups that somebody asked for.
#[derive(Debug, Clone)]
pub(super) struct Program {
    prefix_tests: Vec<PrefixTest>,
    fields: Option<FieldProgram>,
    /// For what the field program leaves.
    engine: Arc<LateEngine>,
    /// For each group asked for, its number in the compiled pattern; `None` if the pattern has no such group.
    numbers: Vec<Option<usize>>,
}

#[derive(Debug, Clone)]
enum Engine {
    Linear(bytes::Regex),
    Backtracking { regex: fancy_regex::Regex, steps_max: usize },
}

/// An engine that is made when it is first asked for: with a field program, most tables never need it, and to make it
/// takes longer than all else that is planned for a small query.
#[derive(Debug)]
struct LateEngine {
    pattern: String,
    dialect: Dialect,
    steps_max: usize,
    made: OnceLock<Engine>,
}

impl LateEngine {
    /// The engine, made by whoever asks first.
    ///
    /// Errors: `BAD_REGEX` for a pattern that takes too much memory.
    fn get(&self) -> Result<&Engine> {
        if let Some(engine) = self.made.get() {
            return Ok(engine);
        }
        let engine = match self.dialect {
            Dialect::Linear => Engine::Linear(compile_linear(&self.pattern)?),
            Dialect::Backtracking => {
                let regex = fancy_regex::RegexBuilder::new(&self.pattern)
                    .backtrack_limit(self.steps_max)
                    .delegate_size_limit(COMPILED_BYTES_MAX)
                    .build()
                    .map_err(|e| cannot_run(e.to_string()))?;
                Engine::Backtracking { regex, steps_max: self.steps_max }
            }
        };
        Ok(self.made.get_or_init(|| engine))
    }
}

/// One task's program with the memory that matching needs.
pub(super) struct Matcher {
    program: Program,
    /// The program's, once a line needed it: a copy, since those who share one wait for each other's memory.
    engine: Option<Engine>,
    locations: Option<bytes::CaptureLocations>,
    memory: Memory,
}

impl Analysis {
    pub(super) fn new(pattern: Pattern) -> Result<Self> {
        let n_groups = pattern.n_groups;
        let mut nodes = match pattern.node {
            Node::Concat(nodes) => nodes,
            node => vec![node],
        };
        let mut prefix_tests = Vec::new();
        let mut n_peeled = 0;
        for node in &nodes {
            match node {
                Node::Assertion(Assertion::Start) => {}
                Node::Look { direction: LookDirection::Ahead, negative, node, source } => {
                    let Some(prefix) = prefix(node)? else {
                        break;
                    };
                    prefix_tests.push(PrefixTest { negative: *negative, prefix, source: source.clone() });
                }
                _ => break,
            }
            n_peeled += 1;
        }
        nodes.drain(..n_peeled);
        let mut node = Node::Concat(nodes);
        settle_ends(&mut node);
        let needs_backtracking = needs_backtracking(&node);
        let obstacle = FieldProgram::compile(&node, &[]).err();
        Ok(Analysis { prefix_tests, node, needs_backtracking, obstacle, n_groups })
    }

    /// Compiles the pattern so that it finds `groups`, and nothing else: other groups cost nothing.
    ///
    /// Errors: `BAD_REGEX` for a pattern that takes too much memory.
    pub(super) fn compile(&self, groups: &[usize], steps_max: usize) -> Result<Program> {
        let dialect = if self.needs_backtracking { Dialect::Backtracking } else { Dialect::Linear };
        let fields = FieldProgram::compile(&self.node, groups).ok();
        let program = Program { fields, ..self.print(dialect, groups, steps_max) };
        if program.fields.is_none() || n_characters(&self.node) > CHARACTERS_SURE_TO_COMPILE {
            program.engine.get()?;
        }
        Ok(program)
    }

    /// Compiles the pattern without tier 1.
    #[cfg(test)]
    pub(super) fn compile_in(&self, dialect: Dialect, groups: &[usize], steps_max: usize) -> Result<Program> {
        let program = self.print(dialect, groups, steps_max);
        program.engine.get()?;
        Ok(program)
    }

    /// A program without tier 1, and with an engine that is yet to be made.
    fn print(&self, dialect: Dialect, groups: &[usize], steps_max: usize) -> Program {
        let mut printer = Printer { dialect, kept: BTreeMap::new(), text: String::new() };
        for &group in groups {
            printer.kept.insert(group, 0);
        }
        keep_referenced(&self.node, &mut printer.kept);
        printer.text.push_str("\\A(?:");
        printer.print(&self.node);
        printer.text.push_str(")\\z");
        let numbers =
            groups.iter().map(|group| printer.kept.get(group).copied().filter(|&number| number > 0)).collect();
        let engine = Arc::new(LateEngine { pattern: printer.text, dialect, steps_max, made: OnceLock::new() });
        Program { prefix_tests: self.prefix_tests.clone(), fields: None, engine, numbers }
    }

    /// How the pattern is run, for EXPLAIN.
    pub(super) fn describe(&self) -> String {
        let mut description = match &self.obstacle {
            None => "tier 1 (field program)".to_owned(),
            Some(obstacle) if self.needs_backtracking => format!("tier 3 (backtracking, with a limit): {obstacle}"),
            Some(obstacle) => format!("tier 2 (linear): {obstacle}"),
        };
        for PrefixTest { source, .. } in &self.prefix_tests {
            write!(description, "; look-ahead `{source}` peeled off as a prefix test").unwrap_or_default();
        }
        description
    }
}

impl Matcher {
    pub(super) fn new(program: Program) -> Self {
        Matcher { program, engine: None, locations: None, memory: Memory::default() }
    }

    /// Matches a text of one line; the groups if it matches.
    #[cfg(test)]
    pub(super) fn find_alone(&mut self, line: &str) -> Result<Option<Vec<Option<Range<usize>>>>> {
        // As in a block: among other lines, and not at its start.
        let text = format!("before it\n{line}\nafter it (/;%20");
        let start = "before it\n".len();
        let mut groups = vec![NO_GROUP; self.program.numbers.len()];
        self.start_text();
        let matches = self.find(text.as_bytes(), start..start + line.len(), &mut groups)?;
        let in_line =
            |[from, to]: GroupRange| ([from, to] != NO_GROUP).then(|| from as usize - start..to as usize - start);
        Ok(matches.then(|| groups.into_iter().map(in_line).collect()))
    }

    /// Tries the lines of a text, each of which ends with a line feed: the groups of those that are known to match.
    #[cfg(test)]
    pub(super) fn try_all(&mut self, text: &str) -> Vec<Option<Vec<GroupRange>>> {
        let mut records = Vec::new();
        for line in text.split_inclusive('\n') {
            let start = records.last().map_or(0, |last: &RecordRange| last.end + 1);
            records.push(RecordRange { start, end: start + line.len() as u32 - 1 });
        }
        let mut groups_of_lines = Vec::new();
        self.start_text();
        while let (n_lines @ 1.., matching) = self.try_lines(text.as_bytes(), &records[groups_of_lines.len()..]) {
            groups_of_lines.extend((0..n_lines).map(|line_idx| {
                let groups = (0..self.program.numbers.len()).map(|group_idx| self.tried(group_idx)(line_idx));
                (matching >> line_idx & 1 != 0).then(|| groups.collect())
            }));
        }
        groups_of_lines
    }

    /// Texts that tier 1 was asked for and left.
    #[cfg(test)]
    pub(super) fn n_unsure(&self) -> u64 {
        self.memory.n_unsure()
    }

    /// Forgets what is known of the text before: what comes is of another one.
    pub(super) fn start_text(&mut self) {
        self.memory.start_text();
    }

    /// Tries the first lines of a text at once: how many, and the bits of those that are known to match, whose groups
    /// [`Matcher::tried`] has. The others may match or not. No lines if it is better to look at each.
    ///
    /// The text has to be the same since [`Matcher::start_text`], shorter than 4 GiB, and the lines UTF-8.
    pub(super) fn try_lines(&mut self, text: &[u8], lines: &[RecordRange]) -> (usize, LineBits) {
        let Program { prefix_tests, fields: Some(fields), numbers, .. } = &self.program else {
            return (0, 0);
        };
        let (n_lines, mut matching) = fields.try_lines(text, lines, &mut self.memory, numbers.len());
        if !prefix_tests.is_empty() {
            for (line_idx, line) in lines[..n_lines].iter().enumerate() {
                if !passes(prefix_tests, &text[line.bytes()]) {
                    matching &= !(1 << line_idx);
                }
            }
        }
        (n_lines, matching)
    }

    /// Where a group asked for lies in each of the lines tried last, if it matches.
    pub(super) fn tried(&self, group_idx: usize) -> impl Fn(usize) -> GroupRange {
        self.memory.group(group_idx)
    }

    /// Whether a whole line of a text matches, and where in the text the groups asked for lie: `NO_GROUP` for one that
    /// took no part, and for all if the line does not match.
    ///
    /// The text has to be the same since [`Matcher::start_text`], shorter than 4 GiB, and the line UTF-8.
    /// Errors: `REGEX_LIMIT`, without a place; and those of compiling, as nothing is compiled that no line needs.
    pub(super) fn find(&mut self, text: &[u8], line: Range<usize>, groups: &mut [GroupRange]) -> Result<bool> {
        let Program { prefix_tests, fields, engine, numbers } = &self.program;
        let line_text = &text[line.clone()];
        if !passes(prefix_tests, line_text) {
            groups.fill(NO_GROUP);
            return Ok(false);
        }
        if let Some(fields) = fields {
            match fields.find(text, line.clone(), &mut self.memory, groups) {
                Verdict::Match => return Ok(true),
                Verdict::NoMatch => {
                    groups.fill(NO_GROUP);
                    return Ok(false);
                }
                Verdict::Unsure => {}
            }
        }
        groups.fill(NO_GROUP);
        let in_text = |start: usize, end: usize| [(line.start + start) as u32, (line.start + end) as u32];
        let engine = match &mut self.engine {
            Some(engine) => engine,
            none => none.insert(engine.get()?.clone()),
        };
        match engine {
            Engine::Linear(regex) if numbers.iter().all(Option::is_none) => Ok(regex.is_match(line_text)),
            Engine::Linear(regex) => {
                let locations = self.locations.get_or_insert_with(|| regex.capture_locations());
                if regex.captures_read(locations, line_text).is_none() {
                    return Ok(false);
                }
                for (group, number) in groups.iter_mut().zip(numbers) {
                    let found = number.and_then(|number| locations.get(number));
                    *group = found.map_or(NO_GROUP, |(start, end)| in_text(start, end));
                }
                Ok(true)
            }
            Engine::Backtracking { regex, steps_max } => {
                let line_text = std::str::from_utf8(line_text)
                    .map_err(|e| Error::internal("a line to match is not UTF-8").with_source(e))?;
                let captures = regex.captures(line_text).map_err(|e| {
                    let message = format!("input.regex needs more than {steps_max} steps on one line");
                    Error::new(codes::REGEX_LIMIT, message).with_source(e).with_hint(
                        "rewrite nested repetitions such as `(a+)+`, or make parts of them possessive: `a++`",
                    )
                })?;
                let Some(captures) = captures else {
                    return Ok(false);
                };
                for (group, number) in groups.iter_mut().zip(numbers) {
                    let found = number.and_then(|number| captures.get(number));
                    *group = found.map_or(NO_GROUP, |found| in_text(found.start(), found.end()));
                }
                Ok(true)
            }
        }
    }
}

#[inline]
fn passes(tests: &[PrefixTest], text: &[u8]) -> bool {
    tests.iter().all(|test| test.prefix.is_match(text) != test.negative)
}

impl Prefix {
    #[inline]
    fn is_match(&self, text: &[u8]) -> bool {
        match self {
            Prefix::Character(first_bytes) => text.first().is_some_and(|&byte| first_bytes.contains(byte)),
            Prefix::Regex(regex) => regex.is_match(text),
        }
    }
}

/// The test that a look-ahead at the start is, if it can be made without backtracking.
fn prefix(node: &Node) -> Result<Option<Prefix>> {
    if let Some(first_bytes) = one_character(node) {
        return Ok(Some(Prefix::Character(first_bytes)));
    }
    let mut node = node.clone();
    let mut has_group = false;
    visit(&node, &mut |node| has_group |= matches!(node, Node::Capture { .. }));
    // Here the text goes on after the match, so `$` stays what it is; at the very end it can be said without looking.
    let ends_in_dollar = take_last_end(&mut node);
    if has_group || needs_backtracking(&node) {
        return Ok(None);
    }
    let mut printer = Printer { dialect: Dialect::Linear, kept: BTreeMap::new(), text: "\\A(?:".to_owned() };
    printer.print(&node);
    printer.text.push(')');
    if ends_in_dollar {
        printer.text.push_str("(?:\\r\\n|");
        printer.print(&Node::Set(line_ends()));
        printer.text.push_str(")?\\z");
    }
    compile_linear(&printer.text).map(|regex| Some(Prefix::Regex(regex)))
}

/// The characters of which the node needs one, and nothing after it: `#`, `#.*`.
fn one_character(node: &Node) -> Option<ByteSet> {
    match node {
        Node::Set(class) => ByteSet::of_characters(class),
        Node::Concat(nodes) => match &nodes[..] {
            [first, rest @ ..] if rest.iter().all(|node| matches!(node, Node::Repeat { min: 0, .. })) => {
                one_character(first)
            }
            _ => None,
        },
        _ => None,
    }
}

fn compile_linear(pattern: &str) -> Result<bytes::Regex> {
    bytes::RegexBuilder::new(pattern)
        .size_limit(COMPILED_BYTES_MAX)
        .nest_limit(NESTED_MAX)
        .build()
        .map_err(|e| cannot_run(e.to_string()))
}

fn cannot_run(cause: String) -> Error {
    Error::new(codes::BAD_REGEX, format!("input.regex cannot be run: {cause}"))
}

/// Characters of a pattern, at most and with its repetitions written out.
fn n_characters(node: &Node) -> usize {
    match node {
        Node::Concat(nodes) | Node::Alternate(nodes) => nodes.iter().map(n_characters).fold(0, usize::saturating_add),
        Node::Repeat { node, min, max, .. } => {
            n_characters(node).saturating_mul(max.unwrap_or(*min).max(*min).max(1) as usize)
        }
        Node::Capture { node, .. } | Node::Atomic(node) | Node::Look { node, .. } => n_characters(node),
        _ => 1,
    }
}

/// Where nothing can follow but the end, `$` is the end: the whole text has to match.
fn settle_ends(node: &mut Node) {
    match node {
        Node::Assertion(assertion @ Assertion::EndBeforeBreak) => *assertion = Assertion::End,
        Node::Concat(nodes) => {
            for node in nodes.iter_mut().rev() {
                let goes_on = takes_nothing(node);
                settle_ends(node);
                if !goes_on {
                    break;
                }
            }
        }
        Node::Alternate(nodes) => nodes.iter_mut().for_each(settle_ends),
        Node::Capture { node, .. } => settle_ends(node),
        Node::Repeat { node, max: Some(1), mode: RepeatMode::Greedy | RepeatMode::Lazy, .. } => settle_ends(node),
        _ => {}
    }
}

fn keep_referenced(node: &Node, kept: &mut BTreeMap<usize, usize>) {
    visit(node, &mut |node| {
        if let Node::Backreference(group) = node {
            kept.insert(*group, 0);
        }
    });
}
