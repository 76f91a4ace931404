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

use super::java::{Assertion, LookDirection, Node, Pattern, RepeatMode, line_ends};
use super::printer::{Dialect, Printer, takes_nothing};
use crate::error::{Error, Result, codes};
use crate::java_regex::{needs_backtracking, take_last_end, visit};

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

fn keep_referenced(node: &Node, kept: &mut BTreeMap<usize, usize>) {
    visit(node, &mut |node| {
        if let Node::Backreference(group) = node {
            kept.insert(*group, 0);
        }
    });
}
