//! Engines that run a pattern, cheapest first; all give Java's answer.
//!
//! Tier 1 is meant for patterns that are a row of runs and separators, answered by byte search; there is none yet, and
//! it goes before the others in [`Tier`]. Tier 2 is linear: the `regex` crate. Tier 3 backtracks under a limit, for
//! look-around, back-references, atomic groups and possessive quantifiers.
//!
//! Compared with JDK 17 on 120,000 random pairs of pattern and text. What differs: a repeated group that can match
//! nothing, `(a*)*`, is left at its last text by these engines and at an empty text by Java; Java gives back what
//! `(a+?)*+` took, though it is possessive.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use regex::bytes;
use regex_syntax::hir::ClassUnicode;

use super::java::{Assertion, LookDirection, Node, Pattern, RepeatMode, line_ends};
use crate::error::{Error, Result, codes};

/// Bytes that one compiled pattern may take: a class repeated thousands of times is legal and large.
const COMPILED_BYTES_MAX: usize = 64 << 20;

/// A pattern with what every program for it shares.
#[derive(Debug)]
pub(super) struct Analysis {
    /// Look-aheads at the very start, taken off the pattern and tested first.
    prefix_tests: Vec<PrefixTest>,
    /// What is left; matched from the start of the text to its end.
    node: Node,
    needs_backtracking: bool,
    pub n_groups: usize,
}

#[derive(Debug, Clone)]
struct PrefixTest {
    negative: bool,
    regex: bytes::Regex,
    source: String,
}

/// A pattern compiled for the groups that somebody asked for.
#[derive(Debug, Clone)]
pub(super) struct Program {
    prefix_tests: Vec<PrefixTest>,
    tier: Tier,
    /// For each group asked for, its number in the compiled pattern; `None` if the pattern has no such group.
    numbers: Vec<Option<usize>>,
}

#[derive(Debug, Clone)]
enum Tier {
    Linear(bytes::Regex),
    Backtracking { regex: fancy_regex::Regex, steps_max: usize },
}

/// One task's program with the memory that matching needs.
pub(super) struct Matcher {
    program: Program,
    locations: Option<bytes::CaptureLocations>,
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
                    let Some(regex) = prefix_regex(node)? else {
                        break;
                    };
                    prefix_tests.push(PrefixTest { negative: *negative, regex, source: source.clone() });
                }
                _ => break,
            }
            n_peeled += 1;
        }
        nodes.drain(..n_peeled);
        let mut node = Node::Concat(nodes);
        settle_ends(&mut node);
        let needs_backtracking = needs_backtracking(&node);
        Ok(Analysis { prefix_tests, node, needs_backtracking, n_groups })
    }

    /// Compiles the pattern so that it finds `groups`, and nothing else: other groups cost nothing.
    pub(super) fn compile(&self, groups: &[usize], steps_max: usize) -> Result<Program> {
        let dialect = if self.needs_backtracking { Dialect::Backtracking } else { Dialect::Linear };
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
        let tier = match dialect {
            Dialect::Linear => Tier::Linear(compile_linear(&printer.text)?),
            Dialect::Backtracking => {
                let regex = fancy_regex::RegexBuilder::new(&printer.text)
                    .backtrack_limit(steps_max)
                    .delegate_size_limit(COMPILED_BYTES_MAX)
                    .build()
                    .map_err(|e| cannot_run(e.to_string()))?;
                Tier::Backtracking { regex, steps_max }
            }
        };
        Ok(Program { prefix_tests: self.prefix_tests.clone(), tier, numbers })
    }

    /// How the pattern is run, for EXPLAIN.
    pub(super) fn describe(&self) -> String {
        let mut description = match self.needs_backtracking {
            false => "tier 2 (linear)".to_owned(),
            true => "tier 3 (backtracking, with a limit)".to_owned(),
        };
        for PrefixTest { source, .. } in &self.prefix_tests {
            write!(description, "; look-ahead `{source}` peeled off as a prefix test").unwrap_or_default();
        }
        description
    }
}

impl Matcher {
    pub(super) fn new(program: Program) -> Self {
        let locations = match &program.tier {
            Tier::Linear(regex) if program.numbers.iter().any(Option::is_some) => Some(regex.capture_locations()),
            _ => None,
        };
        Matcher { program, locations }
    }

    /// Whether the whole text matches, and where the groups asked for lie in it: `None` for one that
    /// took no part, and for all if it does not match.
    ///
    /// Errors: `REGEX_LIMIT`, without a place.
    pub(super) fn find(&mut self, text: &str, groups: &mut Vec<Option<Range<usize>>>) -> Result<bool> {
        groups.clear();
        groups.resize(self.program.numbers.len(), None);
        let Program { prefix_tests, tier, numbers } = &self.program;
        if prefix_tests.iter().any(|test| test.regex.is_match(text.as_bytes()) == test.negative) {
            return Ok(false);
        }
        match tier {
            Tier::Linear(regex) => match &mut self.locations {
                None => Ok(regex.is_match(text.as_bytes())),
                Some(locations) => {
                    if regex.captures_read(locations, text.as_bytes()).is_none() {
                        return Ok(false);
                    }
                    for (group, number) in groups.iter_mut().zip(numbers) {
                        *group = number.and_then(|number| locations.get(number)).map(|(start, end)| start..end);
                    }
                    Ok(true)
                }
            },
            Tier::Backtracking { regex, steps_max } => {
                let captures = regex.captures(text).map_err(|e| {
                    let message = format!("input.regex needs more than {steps_max} steps on one line");
                    Error::new(codes::REGEX_LIMIT, message).with_source(e).with_hint(
                        "rewrite nested repetitions such as `(a+)+`, or make parts of them possessive: `a++`",
                    )
                })?;
                let Some(captures) = captures else {
                    return Ok(false);
                };
                for (group, number) in groups.iter_mut().zip(numbers) {
                    *group = number.and_then(|number| captures.get(number)).map(|found| found.range());
                }
                Ok(true)
            }
        }
    }
}

/// The test that a look-ahead at the start is, if a linear engine can make it.
fn prefix_regex(node: &Node) -> Result<Option<bytes::Regex>> {
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
    compile_linear(&printer.text).map(Some)
}

/// Takes a `$` off the end of a sequence. Suspect: after a literal carriage return Java's `$` does not stand before
/// the line feed, and here it does.
fn take_last_end(node: &mut Node) -> bool {
    match node {
        Node::Assertion(Assertion::EndBeforeBreak) => {
            *node = Node::Empty;
            true
        }
        Node::Concat(nodes) => nodes.last_mut().is_some_and(take_last_end),
        _ => false,
    }
}

fn compile_linear(pattern: &str) -> Result<bytes::Regex> {
    bytes::RegexBuilder::new(pattern).size_limit(COMPILED_BYTES_MAX).build().map_err(|e| cannot_run(e.to_string()))
}

fn cannot_run(cause: String) -> Error {
    Error::new(codes::BAD_REGEX, format!("input.regex cannot be run: {cause}"))
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

/// Whether no match of the node has a character.
fn takes_nothing(node: &Node) -> bool {
    match node {
        Node::Empty | Node::Assertion(_) | Node::Look { .. } => true,
        Node::Set(_) | Node::Backreference(_) => false,
        Node::Concat(nodes) | Node::Alternate(nodes) => nodes.iter().all(takes_nothing),
        Node::Capture { node, .. } | Node::Repeat { node, .. } | Node::Atomic(node) => takes_nothing(node),
    }
}

fn needs_backtracking(node: &Node) -> bool {
    let mut found = false;
    visit(node, &mut |node| {
        found |= matches!(
            node,
            Node::Look { .. }
                | Node::Atomic(_)
                | Node::Backreference(_)
                | Node::Repeat { mode: RepeatMode::Possessive, .. }
                | Node::Assertion(Assertion::EndBeforeBreak | Assertion::LineStart | Assertion::LineEnd)
        );
    });
    found
}

fn keep_referenced(node: &Node, kept: &mut BTreeMap<usize, usize>) {
    visit(node, &mut |node| {
        if let Node::Backreference(group) = node {
            kept.insert(*group, 0);
        }
    });
}

fn visit(node: &Node, see: &mut impl FnMut(&Node)) {
    see(node);
    match node {
        Node::Concat(nodes) | Node::Alternate(nodes) => nodes.iter().for_each(|node| visit(node, see)),
        Node::Capture { node, .. } | Node::Repeat { node, .. } | Node::Look { node, .. } | Node::Atomic(node) => {
            visit(node, see);
        }
        Node::Empty | Node::Set(_) | Node::Assertion(_) | Node::Backreference(_) => {}
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Linear,
    Backtracking,
}

/// Writes a tree in the syntax that both crates read.
struct Printer {
    dialect: Dialect,
    /// Groups that stay groups, and their numbers once they are printed.
    kept: BTreeMap<usize, usize>,
    text: String,
}

impl Printer {
    fn print(&mut self, node: &Node) {
        match node {
            Node::Empty => {}
            Node::Set(set) => self.print_set(set),
            Node::Assertion(assertion) => self.print_assertion(*assertion),
            Node::Capture { group, node } => {
                let n_printed = self.kept.values().filter(|&&number| number > 0).count();
                if let Some(number) = self.kept.get_mut(group) {
                    *number = n_printed + 1;
                    self.bracket("(", node);
                } else {
                    self.bracket("(?:", node);
                }
            }
            Node::Concat(nodes) => nodes.iter().for_each(|node| self.print(node)),
            Node::Alternate(nodes) => {
                self.text.push_str("(?:");
                for (node_idx, node) in nodes.iter().enumerate() {
                    if node_idx > 0 {
                        self.text.push('|');
                    }
                    self.print(node);
                }
                self.text.push(')');
            }
            // Neither crate repeats what takes no characters. Java goes round at most once, and for `*` not at all.
            Node::Repeat { node, min: 1.., .. } if takes_nothing(node) => self.print(node),
            Node::Repeat { node, max: Some(1), mode: RepeatMode::Greedy | RepeatMode::Possessive, .. }
                if takes_nothing(node) =>
            {
                self.text.push_str("(?:");
                self.print(node);
                self.text.push_str("|)");
            }
            Node::Repeat { node, .. } if takes_nothing(node) => {}
            Node::Repeat { node, min, max, mode } => {
                let atomic = *mode == RepeatMode::Possessive;
                if atomic {
                    self.text.push_str("(?>");
                }
                self.bracket("(?:", node);
                match (min, max) {
                    (0, None) => self.text.push('*'),
                    (1, None) => self.text.push('+'),
                    (0, Some(1)) => self.text.push('?'),
                    (min, None) => self.push(format_args!("{{{min},}}")),
                    (min, Some(max)) => self.push(format_args!("{{{min},{max}}}")),
                }
                if *mode == RepeatMode::Lazy {
                    self.text.push('?');
                }
                if atomic {
                    self.text.push(')');
                }
            }
            Node::Look { direction, negative, node, .. } => self.bracket(
                match (direction, negative) {
                    (LookDirection::Ahead, false) => "(?=",
                    (LookDirection::Ahead, true) => "(?!",
                    (LookDirection::Behind, false) => "(?<=",
                    (LookDirection::Behind, true) => "(?<!",
                },
                node,
            ),
            Node::Atomic(node) => self.bracket("(?>", node),
            Node::Backreference(group) => match self.kept.get(group) {
                Some(&number) if number > 0 => self.push(format_args!("(?:\\{number})")),
                // No such group so far: nothing matches it. An empty class, since that may be repeated.
                _ => self.print_set(&ClassUnicode::empty()),
            },
        }
    }

    fn push(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.text.push_str(&arguments.to_string());
    }

    fn bracket(&mut self, open: &str, node: &Node) {
        self.text.push_str(open);
        self.print(node);
        self.text.push(')');
    }

    fn print_set(&mut self, set: &ClassUnicode) {
        if let [range] = set.ranges()
            && range.start() == range.end()
        {
            return self.print_character(range.start());
        }
        if set.ranges().is_empty() {
            return self.text.push_str("[^\\x{0}-\\x{10ffff}]");
        }
        self.text.push('[');
        for range in set.iter() {
            self.print_character(range.start());
            if range.start() != range.end() {
                self.text.push('-');
                self.print_character(range.end());
            }
        }
        self.text.push(']');
    }

    fn print_character(&mut self, character: char) {
        if character.is_ascii_alphanumeric() {
            self.text.push(character);
        } else {
            self.push(format_args!("\\x{{{:x}}}", u32::from(character)));
        }
    }

    fn print_assertion(&mut self, assertion: Assertion) {
        let lines = self.printed(&Node::Set(line_ends()));
        match assertion {
            Assertion::Start => self.text.push_str("\\A"),
            Assertion::End => self.text.push_str("\\z"),
            Assertion::WordBoundary => self.text.push_str("\\b"),
            Assertion::NotWordBoundary => self.text.push_str("\\B"),
            // Java never looks between the two characters of a Windows line break.
            Assertion::EndBeforeBreak => {
                self.push(format_args!("(?:\\z|(?=\\r\\n\\z)|(?!\\n)(?={lines}\\z)|(?<!\\r)(?=\\n\\z))"))
            }
            Assertion::LineStart => {
                self.push(format_args!("(?:(?:\\A|(?<=\\r)(?!\\n)|(?<=\\n)|(?<!\\r)(?<={lines}))(?!\\z))"));
            }
            Assertion::LineEnd => {
                self.push(format_args!("(?:\\z|(?!\\n)(?={lines})|(?<!\\r)(?=\\n))"));
            }
        }
    }

    fn printed(&self, node: &Node) -> String {
        let mut printer = Printer { dialect: self.dialect, kept: BTreeMap::new(), text: String::new() };
        printer.print(node);
        printer.text
    }
}
