//! What sqlparser asks a Dialect, answered for Hive; and the expressions that it would read wrongly or slowly.
//!
//! Every expression that starts with a name is read here, because sqlparser tries such a name as a type, as a special
//! form and as a name in turn, and in `a.b.c` tries what follows each dot twice.

use std::any::TypeId;
use std::cell::Cell;

use sqlparser::ast::{
    AccessExpr, CastKind, CeilFloorKind, DataType, DateTimeField, Expr, ExtractSyntax, Function, FunctionArg,
    FunctionArgExpr, FunctionArgumentList, FunctionArguments, Interval, ObjectName, Subscript, TimezoneInfo,
    TypedString,
};
use sqlparser::dialect::{Dialect, HiveDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::parser::data_type;
use super::tokens::{is_word, keywords};

type Parsed<T = Expr> = Result<T, ParserError>;

/// Looser than `+`, tighter than `&`, as in Hive's grammar.
const PRECEDENCE_CONCAT: u8 = 29;

/// Tighter than `*`, as in Hive's grammar.
const PRECEDENCE_XOR: u8 = 45;

/// Hive, for one statement.
#[derive(Debug)]
pub(super) struct HiveQl {
    /// Expressions that may still be started. sqlparser tries alternatives one after the other, and within each
    /// other that can take time exponential in the nesting; a sensible statement starts few expressions twice.
    starts_left: Cell<usize>,
}

impl HiveQl {
    pub(super) fn new(n_tokens: usize) -> Self {
        HiveQl { starts_left: Cell::new(1_000 + 32 * n_tokens) }
    }
}

impl Dialect for HiveQl {
    fn dialect(&self) -> TypeId {
        TypeId::of::<HiveDialect>()
    }

    // The tokenizer is our own; these two are never asked.
    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_'
    }

    fn supports_string_literal_concatenation(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_group_by_with_modifier(&self) -> bool {
        true
    }

    fn supports_from_first_select(&self) -> bool {
        true
    }

    fn supports_select_item_multi_column_alias(&self) -> bool {
        true
    }

    fn supports_limit_comma(&self) -> bool {
        true
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        true
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }

    fn supports_left_associative_joins_without_parens(&self) -> bool {
        true
    }

    fn supports_table_sample_before_alias(&self) -> bool {
        true
    }

    fn supports_comment_optimizer_hint(&self) -> bool {
        true
    }

    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        !keywords::is_name(keyword)
    }

    fn is_column_alias(&self, keyword: &Keyword, _parser: &mut Parser) -> bool {
        keywords::is_name(*keyword)
    }

    fn is_select_item_alias(&self, _explicit: bool, keyword: &Keyword, _parser: &mut Parser) -> bool {
        keywords::is_name(*keyword)
    }

    fn is_table_alias(&self, keyword: &Keyword, _parser: &mut Parser) -> bool {
        keywords::is_name(*keyword)
    }

    fn is_table_factor_alias(&self, _explicit: bool, keyword: &Keyword, _parser: &mut Parser) -> bool {
        keywords::is_name(*keyword)
    }

    fn get_next_precedence(&self, parser: &Parser) -> Option<Parsed<u8>> {
        match &parser.peek_token_ref().token {
            Token::CustomBinaryOperator(_) => Some(Ok(self.prec_value(Precedence::MulDivModOp))),
            Token::StringConcat => Some(Ok(PRECEDENCE_CONCAT)),
            Token::Caret => Some(Ok(PRECEDENCE_XOR)),
            // Infix in other dialects only.
            Token::Tilde | Token::Colon => Some(Ok(self.prec_unknown())),
            _ => None,
        }
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Parsed> {
        let Some(left) = self.starts_left.get().checked_sub(1) else {
            return Some(Err(ParserError::RecursionLimitExceeded));
        };
        self.starts_left.set(left);
        let token = parser.peek_token_ref();
        match &token.token {
            Token::Word(word) if word.quote_style.is_some() => Some(name(parser)),
            Token::Word(word) => match (word.value.as_str(), &parser.peek_nth_token_ref(1).token) {
                ("cast", Token::LParen) => Some(cast(parser)),
                ("extract", Token::LParen) => Some(extract(parser)),
                ("floor" | "ceil" | "ceiling", Token::LParen) => Some(floor_or_ceil(parser)),
                ("interval", Token::SingleQuotedString(_) | Token::Number(..) | Token::LParen | Token::Minus) => {
                    parser.advance_token();
                    Some(interval(parser))
                }
                ("date" | "timestamp", Token::SingleQuotedString(_)) => Some(typed_string(parser)),
                _ if keywords::is_name(word.keyword) => Some(name(parser)),
                _ if starts_expression(word.keyword) => None,
                _ => Some(parser.expected_ref("an expression", token)),
            },
            // `[1, 2]` is an array in other dialects.
            Token::LBracket => Some(parser.expected_ref("an expression", token)),
            // `dt + 1 DAY`: Hive lets INTERVAL go unsaid there.
            Token::Number(..)
                if is_unit(parser.peek_nth_token_ref(1))
                    && matches!(parser.get_current_token().token, Token::Plus | Token::Minus) =>
            {
                Some(interval(parser))
            }
            _ => None,
        }
    }
}

/// Reserved words that an expression may start with.
fn starts_expression(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::ALL
            | Keyword::CASE
            | Keyword::CURRENT_DATE
            | Keyword::CURRENT_TIMESTAMP
            | Keyword::EXISTS
            | Keyword::FALSE
            | Keyword::NOT
            | Keyword::NULL
            | Keyword::TRUE
    )
}

/// `a`, `t.a`, `f(x)`, `db.f(x)`, and what hangs on them: `.field`, `[index]`.
fn name(parser: &mut Parser) -> Parsed {
    let mut names = vec![parser.parse_identifier()?];
    while is_field(parser) {
        parser.advance_token();
        names.push(parser.parse_identifier()?);
    }
    let mut accesses = Vec::new();
    let root = if parser.peek_token_ref().token == Token::LParen {
        parser.parse_function(ObjectName::from(names))?
    } else if parser.peek_token_ref().token != Token::LBracket {
        return Ok(match names.len() {
            1 => Expr::Identifier(names.remove(0)),
            _ => Expr::CompoundIdentifier(names),
        });
    } else {
        let root = names.remove(0);
        accesses.extend(names.into_iter().map(|name| AccessExpr::Dot(Expr::Identifier(name))));
        Expr::Identifier(root)
    };
    loop {
        if parser.consume_token(&Token::LBracket) {
            let index = parser.parse_expr()?;
            parser.expect_token(&Token::RBracket)?;
            accesses.push(AccessExpr::Subscript(Subscript::Index { index }));
        } else if is_field(parser) {
            parser.advance_token();
            accesses.push(AccessExpr::Dot(Expr::Identifier(parser.parse_identifier()?)));
        } else if accesses.is_empty() {
            return Ok(root);
        } else {
            return Ok(Expr::CompoundFieldAccess { root: Box::new(root), access_chain: accesses });
        }
    }
}

fn is_field(parser: &Parser) -> bool {
    parser.peek_token_ref().token == Token::Period && matches!(parser.peek_nth_token_ref(1).token, Token::Word(_))
}

/// `CAST(a AS type)`, with Hive's types.
fn cast(parser: &mut Parser) -> Parsed {
    parser.advance_token();
    parser.expect_token(&Token::LParen)?;
    let expr = Box::new(parser.parse_expr()?);
    parser.expect_keyword_is(Keyword::AS)?;
    let data_type = data_type::sql_type(parser)?;
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Cast { kind: CastKind::Cast, expr, data_type, array: false, format: None })
}

/// `EXTRACT(unit FROM a)`.
fn extract(parser: &mut Parser) -> Parsed {
    parser.advance_token();
    parser.expect_token(&Token::LParen)?;
    let field = unit(parser)?;
    parser.expect_keyword_is(Keyword::FROM)?;
    let expr = Box::new(parser.parse_expr()?);
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Extract { field, syntax: ExtractSyntax::From, expr })
}

/// `FLOOR(a TO unit)`; without TO a function like any other.
fn floor_or_ceil(parser: &mut Parser) -> Parsed {
    let name = parser.parse_identifier()?;
    parser.expect_token(&Token::LParen)?;
    let exprs = parser.parse_comma_separated(Parser::parse_expr)?;
    if exprs.len() == 1 && parser.parse_keyword(Keyword::TO) {
        let field = CeilFloorKind::DateTimeField(unit(parser)?);
        parser.expect_token(&Token::RParen)?;
        let is_floor = name.value == "floor";
        let expr = exprs.into_iter().map(Box::new).next();
        return match expr {
            Some(expr) if is_floor => Ok(Expr::Floor { expr, field }),
            Some(expr) => Ok(Expr::Ceil { expr, field }),
            None => parser.expected_ref("an expression", parser.peek_token_ref()),
        };
    }
    parser.expect_token(&Token::RParen)?;
    let args = exprs.into_iter().map(|expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))).collect();
    Ok(Expr::Function(Function {
        name: ObjectName::from(vec![name]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: vec![] }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: vec![],
    }))
}

/// `DATE '2020-01-01'`, `TIMESTAMP '…'`.
fn typed_string(parser: &mut Parser) -> Parsed {
    let data_type = if is_word(Some(parser.peek_token_ref()), "date") {
        DataType::Date
    } else {
        DataType::Timestamp(None, TimezoneInfo::None)
    };
    parser.advance_token();
    Ok(Expr::TypedString(TypedString { data_type, value: parser.parse_value()?, uses_odbc_syntax: false }))
}

/// `1 DAY`, `'1-2' YEAR TO MONTH`, `(a + 1) DAYS`: what follows INTERVAL.
fn interval(parser: &mut Parser) -> Parsed {
    // So tight that only the operand itself is read.
    let value = if matches!(parser.peek_token_ref().token, Token::Number(..)) {
        Expr::Value(parser.parse_value()?)
    } else {
        parser.parse_subexpr(PRECEDENCE_XOR)?
    };
    let leading_field = Some(unit(parser)?);
    let last_field = if is_word(Some(parser.peek_token_ref()), "to") {
        parser.advance_token();
        Some(unit(parser)?)
    } else {
        None
    };
    Ok(Expr::Interval(Interval {
        value: Box::new(value),
        leading_field,
        leading_precision: None,
        last_field,
        fractional_seconds_precision: None,
    }))
}

fn is_unit(token: &TokenWithSpan) -> bool {
    keywords::TIME_UNITS.iter().any(|unit| is_word(Some(token), unit))
}

fn unit(parser: &mut Parser) -> Parsed<DateTimeField> {
    let token = parser.next_token();
    let Token::Word(word) = &token.token else { return parser.expected("a unit of time", token) };
    Ok(match word.value.as_str() {
        "year" => DateTimeField::Year,
        "years" => DateTimeField::Years,
        "quarter" => DateTimeField::Quarter,
        "month" => DateTimeField::Month,
        "months" => DateTimeField::Months,
        "week" => DateTimeField::Week(None),
        "weeks" => DateTimeField::Weeks,
        "day" => DateTimeField::Day,
        "days" => DateTimeField::Days,
        "dayofweek" | "dow" => DateTimeField::Dow,
        "hour" => DateTimeField::Hour,
        "hours" => DateTimeField::Hours,
        "minute" => DateTimeField::Minute,
        "minutes" => DateTimeField::Minutes,
        "second" => DateTimeField::Second,
        "seconds" => DateTimeField::Seconds,
        _ => return parser.expected("a unit of time", token),
    })
}
