//! Parts of a pattern as a user would write them, for messages.
//!
//! Made from the tree, so a part may be spelled otherwise than in the pattern: `[0-9]` is `\d`. Only for reading.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use crate::java_regex::{Assertion, Node, RepeatMode, line_ends, spaces, word_characters};

/// Longer texts are cut.
const CHARACTERS_MAX: usize = 60;

pub(super) fn source(node: &Node) -> String {
    let mut text = String::new();
    write(node, &mut text);
    match text.char_indices().nth(CHARACTERS_MAX) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

fn write(node: &Node, text: &mut String) {
    match node {
        Node::Empty => {}
        Node::Set(class) => write_set(class, text),
        Node::Assertion(assertion) => text.push_str(match assertion {
            Assertion::Start | Assertion::LineStart => "^",
            Assertion::End => "\\z",
            Assertion::EndBeforeBreak | Assertion::LineEnd => "$",
            Assertion::WordBoundary => "\\b",
            Assertion::NotWordBoundary => "\\B",
        }),
        Node::Capture { node, .. } => write_in("(", node, text),
        Node::Concat(nodes) => {
            for node in nodes {
                match node {
                    Node::Alternate(_) => write_in("(?:", node, text),
                    node => write(node, text),
                }
            }
        }
        Node::Alternate(nodes) => {
            for (node_idx, node) in nodes.iter().enumerate() {
                if node_idx > 0 {
                    text.push('|');
                }
                write(node, text);
            }
        }
        Node::Repeat { node, min, max, mode } => {
            match &**node {
                Node::Set(_) | Node::Capture { .. } | Node::Assertion(_) => write(node, text),
                node => write_in("(?:", node, text),
            }
            match (min, max) {
                (0, None) => text.push('*'),
                (1, None) => text.push('+'),
                (0, Some(1)) => text.push('?'),
                (min, None) => text.push_str(&format!("{{{min},}}")),
                (min, Some(max)) if min == max => text.push_str(&format!("{{{min}}}")),
                (min, Some(max)) => text.push_str(&format!("{{{min},{max}}}")),
            }
            match mode {
                RepeatMode::Greedy => {}
                RepeatMode::Lazy => text.push('?'),
                RepeatMode::Possessive => text.push('+'),
            }
        }
        Node::Look { source, .. } => text.push_str(source),
        Node::Atomic(node) => write_in("(?>", node, text),
        Node::Backreference(group) => text.push_str(&format!("\\{group}")),
    }
}

fn write_in(open: &str, node: &Node, text: &mut String) {
    text.push_str(open);
    write(node, text);
    text.push(')');
}

fn write_set(class: &ClassUnicode, text: &mut String) {
    let mut complement = class.clone();
    complement.negate();
    let digits = ClassUnicode::new([ClassUnicodeRange::new('0', '9')]);
    for (known, inside, outside) in
        [(spaces(), "\\s", "\\S"), (word_characters(), "\\w", "\\W"), (digits, "\\d", "\\D")]
    {
        if *class == known {
            return text.push_str(inside);
        }
        if complement == known {
            return text.push_str(outside);
        }
    }
    match class.ranges() {
        [range] if range.start() == range.end() => write_character(range.start(), "\\.[]{}()*+?^$|", text),
        _ if complement.ranges().is_empty() || complement == line_ends() => text.push('.'),
        ranges => {
            let is_negated =
                complement.ranges().len() < ranges.len() || ranges.last().is_some_and(|range| range.end() == char::MAX);
            text.push_str(if is_negated { "[^" } else { "[" });
            for range in if is_negated { complement.ranges() } else { ranges } {
                write_character(range.start(), "\\[]^-&", text);
                if range.start() != range.end() {
                    if u32::from(range.end()) - u32::from(range.start()) > 1 {
                        text.push('-');
                    }
                    write_character(range.end(), "\\[]^-&", text);
                }
            }
            text.push(']');
        }
    }
}

fn write_character(character: char, escaped: &str, text: &mut String) {
    match character {
        '\t' => text.push_str("\\t"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        character if character.is_control() => text.push_str(&format!("\\x{{{:x}}}", u32::from(character))),
        character => {
            if escaped.contains(character) {
                text.push('\\');
            }
            text.push(character);
        }
    }
}
