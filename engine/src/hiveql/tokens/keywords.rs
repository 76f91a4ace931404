//! Which words are keywords here.
//!
//! sqlparser asks a word for its keyword, not for its letters. So a word that gets none is a name wherever a name can
//! stand, and the clauses of other dialects (PIVOT, ILIKE, QUALIFY's kin, `SELECT TOP`, …) do not exist. Most words
//! that Hive reserves are keywords only where they can be nothing else, which is more than Hive accepts.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::Result;
use crate::hiveql::source_map::SourceMap;

use super::{expected, is, is_one_of, is_word};

/// Units of time, as in `INTERVAL 1 DAY` and `EXTRACT(DAY FROM …)`.
pub(in crate::hiveql) const TIME_UNITS: &[&str] = &[
    "year", "years", "quarter", "month", "months", "week", "weeks", "day", "days", "hour", "hours", "minute",
    "minutes", "second", "seconds",
];

/// Gives each word its keyword, and `DIV` its operator.
///
/// Errors: a reserved word where a table's name should stand; sqlparser would take it for the name.
pub(super) fn mark(map: &SourceMap, mut tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>> {
    let skip = usize::from(is_word(tokens.first(), "explain"));
    let is_acid = is_one_of(tokens.get(skip), &["delete", "update", "merge"]);
    let keywords: Vec<Keyword> = (0..tokens.len())
        .map(|index| match keyword(&tokens, index) {
            Keyword::NoKeyword if is_acid => acid_keyword(&tokens, index),
            keyword => keyword,
        })
        .collect();
    for (token, keyword) in tokens.iter_mut().zip(keywords) {
        if let Token::Word(word) = &mut token.token {
            word.keyword = keyword;
        }
    }
    for index in 1..tokens.len().saturating_sub(1) {
        if is_word(tokens.get(index), "div") && ends_operand(&tokens[index - 1]) && starts_operand(&tokens[index + 1]) {
            tokens[index].token = Token::CustomBinaryOperator("div".to_owned());
        }
    }
    let forgotten = (1..tokens.len()).find(|index| {
        let wants_table = matches!(&tokens[index - 1].token, Token::Word(word)
            if matches!(word.keyword, Keyword::FROM | Keyword::JOIN));
        wants_table && matches!(&tokens[*index].token, Token::Word(word) if !starts_table(word.keyword))
    });
    match forgotten.filter(|index| !is_word(tokens.get(index.wrapping_sub(2)), "distinct")) {
        Some(index) if !is_in_extract(&tokens, index) => Err(expected(map, &tokens, index, "a table")),
        _ => Ok(tokens),
    }
}

fn starts_table(keyword: Keyword) -> bool {
    is_name(keyword) || matches!(keyword, Keyword::LATERAL | Keyword::VALUES)
}

/// Whether the FROM before `index` is that of `EXTRACT (unit FROM`.
fn is_in_extract(tokens: &[TokenWithSpan], index: usize) -> bool {
    is_word(index.checked_sub(4).and_then(|index| tokens.get(index)), "extract")
}

/// Whether a word with this keyword can still be a name or an alias.
pub(in crate::hiveql) fn is_name(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::NoKeyword
            | Keyword::ASC
            | Keyword::DESC
            | Keyword::CURRENT
            | Keyword::FOLLOWING
            | Keyword::PRECEDING
            | Keyword::RANGE
            | Keyword::ROW
            | Keyword::ROWS
            | Keyword::UNBOUNDED
            | Keyword::TO
    )
}

/// Words of DELETE, UPDATE and MERGE, which sqlparser reads as a whole.
fn acid_keyword(tokens: &[TokenWithSpan], index: usize) -> Keyword {
    const WORDS: &[(&str, Keyword)] = &[
        ("delete", Keyword::DELETE),
        ("update", Keyword::UPDATE),
        ("merge", Keyword::MERGE),
        ("into", Keyword::INTO),
        ("set", Keyword::SET),
        ("matched", Keyword::MATCHED),
    ];
    let known = WORDS.iter().find(|(word, _)| is_word(tokens.get(index), word));
    known.map_or(Keyword::NoKeyword, |(_, keyword)| *keyword)
}

fn ends_operand(token: &TokenWithSpan) -> bool {
    match &token.token {
        Token::Word(word) => is_name(word.keyword) || matches!(word.keyword, Keyword::END | Keyword::NULL),
        token => matches!(token, Token::Number(..) | Token::SingleQuotedString(_) | Token::RParen | Token::RBracket),
    }
}

fn starts_operand(token: &TokenWithSpan) -> bool {
    match &token.token {
        Token::Word(word) => is_name(word.keyword) || matches!(word.keyword, Keyword::CASE | Keyword::NULL),
        token => matches!(
            token,
            Token::Number(..)
                | Token::SingleQuotedString(_)
                | Token::LParen
                | Token::Minus
                | Token::Plus
                | Token::Tilde
        ),
    }
}

fn keyword(tokens: &[TokenWithSpan], index: usize) -> Keyword {
    let Token::Word(word) = &tokens[index].token else { return Keyword::NoKeyword };
    let previous = index.checked_sub(1).and_then(|index| tokens.get(index));
    let next = tokens.get(index + 1);
    if word.quote_style.is_some() || is(previous, &Token::Period) || is(next, &Token::Period) {
        return Keyword::NoKeyword;
    }
    let before_bracket = is(next, &Token::LParen);
    let before_by = is_word(next, "by");
    let if_so = |keyword, condition: bool| if condition { keyword } else { Keyword::NoKeyword };
    match word.value.as_str() {
        "select" => Keyword::SELECT,
        "from" => Keyword::FROM,
        "where" => Keyword::WHERE,
        "having" => Keyword::HAVING,
        "as" => Keyword::AS,
        "on" => Keyword::ON,
        "using" => Keyword::USING,
        "join" => Keyword::JOIN,
        "inner" => Keyword::INNER,
        "cross" => Keyword::CROSS,
        "full" => Keyword::FULL,
        "left" => if_so(Keyword::LEFT, !before_bracket),
        "right" => if_so(Keyword::RIGHT, !before_bracket),
        "outer" => if_so(Keyword::OUTER, is_word(next, "join")),
        "semi" => if_so(Keyword::SEMI, is_word(next, "join")),
        "anti" => if_so(Keyword::ANTI, is_word(next, "join")),
        // Only the token pass writes it: before a subquery, and before a table function after a JOIN.
        "lateral" => if_so(Keyword::LATERAL, before_bracket || is_word(previous, "join")),
        "tablesample" => Keyword::TABLESAMPLE,
        "bucket" => if_so(Keyword::BUCKET, in_tablesample(tokens, index, 2)),
        "out" => if_so(Keyword::OUT, is_word(next, "of")),
        "of" => if_so(Keyword::OF, is_word(previous, "out")),
        "percent" => if_so(Keyword::PERCENT, in_tablesample(tokens, index, 3)),
        "union" => Keyword::UNION,
        "intersect" => Keyword::INTERSECT,
        "except" => Keyword::EXCEPT,
        "minus" => {
            if_so(Keyword::MINUS, is_one_of(next, &["select", "from", "all", "distinct", "values"]) || before_bracket)
        }
        "all" => Keyword::ALL,
        "any" => if_so(Keyword::ANY, before_bracket),
        "some" => if_so(Keyword::SOME, before_bracket),
        "distinct" => Keyword::DISTINCT,
        "and" => Keyword::AND,
        "or" => Keyword::OR,
        "not" => Keyword::NOT,
        "in" => Keyword::IN,
        "is" => Keyword::IS,
        "null" => Keyword::NULL,
        "true" => Keyword::TRUE,
        "false" => Keyword::FALSE,
        "between" => Keyword::BETWEEN,
        "like" => Keyword::LIKE,
        "rlike" => Keyword::RLIKE,
        "regexp" => Keyword::REGEXP,
        "exists" => if_so(Keyword::EXISTS, before_bracket),
        "case" => Keyword::CASE,
        "when" => Keyword::WHEN,
        "then" => Keyword::THEN,
        "else" => Keyword::ELSE,
        "end" => Keyword::END,
        "with" => Keyword::WITH,
        "insert" => Keyword::INSERT,
        "values" => if_so(Keyword::VALUES, before_bracket),
        "group" => if_so(Keyword::GROUP, before_by || is_word(previous, "within")),
        "order" => if_so(Keyword::ORDER, before_by),
        "sort" => if_so(Keyword::SORT, before_by),
        "cluster" => if_so(Keyword::CLUSTER, before_by),
        "distribute" => if_so(Keyword::DISTRIBUTE, before_by),
        "partition" => if_so(Keyword::PARTITION, before_by),
        "by" => {
            if_so(Keyword::BY, is_one_of(previous, &["group", "order", "sort", "cluster", "distribute", "partition"]))
        }
        "rollup" => if_so(Keyword::ROLLUP, before_bracket || is_word(previous, "with")),
        "cube" => if_so(Keyword::CUBE, before_bracket || is_word(previous, "with")),
        "grouping" => if_so(Keyword::GROUPING, is_word(next, "sets")),
        "sets" => if_so(Keyword::SETS, is_word(previous, "grouping")),
        "limit" => Keyword::LIMIT,
        "offset" => if_so(Keyword::OFFSET, matches!(next, Some(next) if matches!(next.token, Token::Number(..)))),
        "asc" => Keyword::ASC,
        "desc" => Keyword::DESC,
        "nulls" => {
            let known = is_one_of(next, &["first", "last"]) || is_one_of(previous, &["ignore", "respect"]);
            if_so(Keyword::NULLS, known)
        }
        "first" => if_so(Keyword::FIRST, is_word(previous, "nulls")),
        "last" => if_so(Keyword::LAST, is_word(previous, "nulls")),
        "ignore" => if_so(Keyword::IGNORE, is_word(next, "nulls")),
        "respect" => if_so(Keyword::RESPECT, is_word(next, "nulls")),
        "over" => if_so(Keyword::OVER, is(previous, &Token::RParen) || is_word(previous, "nulls")),
        "window" => {
            if_so(Keyword::WINDOW, is_word(tokens.get(index + 2), "as") && is(tokens.get(index + 3), &Token::LParen))
        }
        "qualify" => Keyword::QUALIFY,
        "filter" => if_so(Keyword::FILTER, before_bracket && is_word(tokens.get(index + 2), "where")),
        "within" => if_so(Keyword::WITHIN, is_word(next, "group")),
        "rows" => Keyword::ROWS,
        "range" => Keyword::RANGE,
        "unbounded" => Keyword::UNBOUNDED,
        "preceding" => Keyword::PRECEDING,
        "following" => Keyword::FOLLOWING,
        "current" => if_so(Keyword::CURRENT, is_word(next, "row")),
        "row" => if_so(Keyword::ROW, is_word(previous, "current")),
        "to" => if_so(Keyword::TO, is_one_of(next, TIME_UNITS) && is(tokens.get(index + 2), &Token::RParen)),
        "current_date" => Keyword::CURRENT_DATE,
        "current_timestamp" => Keyword::CURRENT_TIMESTAMP,
        _ => Keyword::NoKeyword,
    }
}

/// Whether the word stands `distance` tokens after TABLESAMPLE.
fn in_tablesample(tokens: &[TokenWithSpan], index: usize, distance: usize) -> bool {
    is_word(index.checked_sub(distance).and_then(|index| tokens.get(index)), "tablesample")
}
