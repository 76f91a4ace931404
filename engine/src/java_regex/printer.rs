//! Writes a tree in the syntax of the `regex` and `fancy-regex` crates, which read the same but for look-around.

use std::collections::BTreeMap;

use regex_syntax::hir::ClassUnicode;

use super::parser::{Assertion, LookDirection, Node, RepeatMode, line_ends};

/// Whose syntax it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Linear,
    Backtracking,
}

/// Writes a tree in the syntax that both crates read.
pub(crate) struct Printer {
    pub dialect: Dialect,
    /// Groups that stay groups, and their numbers once they are printed.
    pub kept: BTreeMap<usize, usize>,
    pub text: String,
}

impl Printer {
    pub(crate) fn print(&mut self, node: &Node) {
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

/// Whether no match of the node has a character.
pub(crate) fn takes_nothing(node: &Node) -> bool {
    match node {
        Node::Empty | Node::Assertion(_) | Node::Look { .. } => true,
        Node::Set(_) | Node::Backreference(_) => false,
        Node::Concat(nodes) | Node::Alternate(nodes) => nodes.iter().all(takes_nothing),
        Node::Capture { node, .. } | Node::Repeat { node, .. } | Node::Atomic(node) => takes_nothing(node),
    }
}
