//! Refuses statements so deep that parsing, walking or dropping their tree could overflow the stack.
//!
//! sqlparser counts its own recursion. It does not count the depth of what it builds in loops: `a OR b OR c …` is a
//! tree as deep as it has operators, and dropping it recurses.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result, codes};
use crate::hiveql::source_map::SourceMap;

use super::{is_one_of, is_word};

/// Brackets, CASEs and type parameters within each other. A guess at what no person writes.
pub(in crate::hiveql) const NESTING_MAX: usize = 100;

/// Operators that hang on each other, summed over the enclosing brackets: an upper bound of the depth of the tree
/// beyond its brackets. Measured: in a debug build a thread with 2 MB of stack can clone a chain of 250, which is
/// what takes most stack, and not one of 500.
pub(in crate::hiveql) const OPERATORS_MAX: usize = 250;

/// ANDs and ORs that hang on each other. `finish` balances them, so that only sqlparser and one walk see them as
/// deep as they are many. Measured: 16,000 are still dropped and walked there.
pub(in crate::hiveql) const CONNECTIVES_MAX: usize = 10_000;

const WORD_OPERATORS: &[&str] = &["not", "in", "is", "like", "rlike", "regexp", "between", "div", "escape"];

const SET_OPERATORS: &[&str] = &["union", "intersect", "except", "minus"];

/// Words after which an expression starts anew.
const CLAUSES: &[&str] =
    &["select", "from", "where", "having", "group", "order", "sort", "on", "when", "then", "else", "values"];

const PARAMETERISED_TYPES: &[&str] = &["array", "map", "struct", "uniontype"];

#[derive(Clone, Copy, PartialEq)]
enum Opened {
    Bracket,
    Case,
    Type,
}

struct Level {
    opened: Opened,
    operators: usize,
    connectives: usize,
    /// BETWEENs whose AND is still to come.
    betweens: usize,
    /// UNIONs and their like hang on each other across clauses.
    set_operators: usize,
}

impl Level {
    fn new(opened: Opened) -> Self {
        Level { opened, operators: 0, connectives: 0, betweens: 0, set_operators: 0 }
    }
}

/// Checks a whole statement and returns its nesting. Brackets that do not match are left for the parser to complain
/// about.
pub(super) fn check(map: &SourceMap, tokens: &[TokenWithSpan]) -> Result<usize> {
    let mut levels = vec![Level::new(Opened::Bracket)];
    let (mut operators, mut connectives): (usize, usize) = (0, 0);
    let mut deepest = 0;
    for (index, token) in tokens.iter().enumerate() {
        let previous = index.checked_sub(1).and_then(|index| tokens.get(index));
        let is_name = previous.is_some_and(|token| token.token == Token::Period);
        let open = match &token.token {
            Token::LParen | Token::LBracket => Some(Opened::Bracket),
            Token::Lt if is_one_of(previous, PARAMETERISED_TYPES) => Some(Opened::Type),
            Token::Word(_) if !is_name && is_word(Some(token), "case") => Some(Opened::Case),
            _ => None,
        };
        if let Some(opened) = open {
            levels.push(Level::new(opened));
        } else {
            let close = match &token.token {
                Token::RParen | Token::RBracket => Some(Opened::Bracket),
                Token::Gt if levels.last().is_some_and(|level| level.opened == Opened::Type) => Some(Opened::Type),
                Token::Word(_) if !is_name && is_word(Some(token), "end") => Some(Opened::Case),
                _ => None,
            };
            let at = close.and_then(|close| levels.iter().rposition(|level| level.opened == close));
            if let Some(at) = at.filter(|at| *at > 0) {
                for level in levels.drain(at..) {
                    operators -= level.operators + level.set_operators;
                    connectives -= level.connectives;
                }
            } else if let Some(level) = levels.last_mut() {
                operators -= level.operators + level.set_operators;
                connectives -= level.connectives;
                count(level, token, is_name);
                operators += level.operators + level.set_operators;
                connectives += level.connectives;
            }
        }
        if levels.len() > NESTING_MAX {
            let message = format!("this statement is nested deeper than {NESTING_MAX} levels");
            return Err(too_deep(map, token, message, "write the inner parts as views or WITH queries"));
        }
        if operators > OPERATORS_MAX {
            let message = format!("this expression chains more than {OPERATORS_MAX} operators");
            return Err(too_deep(map, token, message, "brackets do not help; a view or a WITH query in between does"));
        }
        if connectives > CONNECTIVES_MAX {
            let message = format!("this expression chains more than {CONNECTIVES_MAX} ANDs and ORs");
            return Err(too_deep(map, token, message, "`a = 1 OR a = 2 OR …` is better written `a IN (1, 2, …)`"));
        }
        deepest = deepest.max(levels.len());
    }
    Ok(deepest)
}

fn count(level: &mut Level, token: &TokenWithSpan, is_name: bool) {
    match &token.token {
        Token::Comma => (level.operators, level.connectives) = (0, 0),
        Token::Word(_) if is_name => {}
        Token::Word(_) if is_one_of(Some(token), CLAUSES) => (level.operators, level.connectives) = (0, 0),
        Token::Word(_) if level.betweens > 0 && is_word(Some(token), "and") => level.betweens -= 1,
        Token::Word(_) if is_one_of(Some(token), &["and", "or"]) => {
            (level.operators, level.connectives) = (0, level.connectives + 1);
        }
        Token::Word(_) if is_one_of(Some(token), SET_OPERATORS) => level.set_operators += 1,
        Token::Word(_) if is_one_of(Some(token), WORD_OPERATORS) => {
            level.operators += 1;
            level.betweens += usize::from(is_word(Some(token), "between"));
        }
        Token::Period | Token::Colon => {}
        Token::Word(_) | Token::Number(..) | Token::SingleQuotedString(_) | Token::Whitespace(_) => {}
        _ => level.operators += 1,
    }
}

fn too_deep(map: &SourceMap, token: &TokenWithSpan, message: String, hint: &str) -> Error {
    Error::new(codes::NESTING_DEPTH, message).at(map.span_of(token.span).unwrap_or(map.end())).with_hint(hint)
}
