//! Java's regular expressions: their dialect as a tree, and the tree in the syntax of Rust's engines.
//!
//! RegexSerDe matches whole lines with it, the functions of HiveQL search in a text. Which engine runs a pattern is decided
//! there: the `regex` crate is linear, `fancy-regex` backtracks.

mod parser;
pub(crate) mod printer;

pub(crate) use parser::{
    Assertion, LetterCase, LookDirection, Node, Pattern, RepeatMode, line_ends, parse, parse_plain, spaces,
    word_characters,
};

/// Whether only an engine that backtracks can run this.
pub(crate) fn needs_backtracking(node: &Node) -> bool {
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

/// Shows a node and all that it is made of.
pub(crate) fn visit(node: &Node, see: &mut impl FnMut(&Node)) {
    see(node);
    match node {
        Node::Concat(nodes) | Node::Alternate(nodes) => nodes.iter().for_each(|node| visit(node, see)),
        Node::Capture { node, .. } | Node::Repeat { node, .. } | Node::Look { node, .. } | Node::Atomic(node) => {
            visit(node, see);
        }
        Node::Empty | Node::Set(_) | Node::Assertion(_) | Node::Backreference(_) => {}
    }
}

/// Takes a `$` off the end of a sequence. Suspect: after a literal carriage return Java's `$` does not stand before
/// the line feed, and here it does.
pub(crate) fn take_last_end(node: &mut Node) -> bool {
    match node {
        Node::Assertion(Assertion::EndBeforeBreak) => {
            *node = Node::Empty;
            true
        }
        Node::Concat(nodes) => nodes.last_mut().is_some_and(take_last_end),
        _ => false,
    }
}
