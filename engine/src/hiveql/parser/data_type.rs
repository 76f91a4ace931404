//! Hive's types: in DDL as [`HiveType`], in CAST as sqlparser's.

use sqlparser::ast::{
    ArrayElemTypeDef, CharacterLength, DataType, ExactNumberInfo, Ident, StructBracketKind, StructField, TimezoneInfo,
    UnionField,
};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{self, Token};

use crate::error::{Result, Span};
use crate::hiveql::statement::{HiveType, TypeKind};
use crate::hiveql::tokens::is_word;

use super::StatementParser;

/// Hive's largest precision.
const PRECISION_MAX: u64 = 38;

impl StatementParser<'_> {
    pub(super) fn data_type(&mut self) -> Result<HiveType> {
        let map = self.map;
        self.sql(|parser| hive_type(parser, &|span| map.span_of(span).unwrap_or_default()))
    }
}

/// Reads a type for a tree of sqlparser's.
pub(in crate::hiveql) fn sql_type(parser: &mut Parser) -> Result<DataType, ParserError> {
    // There are no places in a `DataType`.
    hive_type(parser, &|_| Span::default()).map(to_sql)
}

/// Recursion is bounded by the token pass, which counts type parameters as brackets.
fn hive_type(parser: &mut Parser, place: &dyn Fn(tokenizer::Span) -> Span) -> Result<HiveType, ParserError> {
    let token = parser.next_token();
    let Token::Word(word) = &token.token else { return parser.expected("a type", token) };
    let kind = match word.value.as_str() {
        "tinyint" => TypeKind::TinyInt,
        "smallint" => TypeKind::SmallInt,
        "int" | "integer" => TypeKind::Int,
        "bigint" => TypeKind::BigInt,
        "float" => TypeKind::Float,
        "real" => TypeKind::Double,
        "double" => {
            take(parser, "precision");
            TypeKind::Double
        }
        "decimal" | "numeric" | "dec" => decimal(parser)?,
        "string" => TypeKind::String,
        "varchar" => TypeKind::Varchar(length(parser, 65_535)?),
        "char" => TypeKind::Char(length(parser, 255)?),
        "boolean" => TypeKind::Boolean,
        "binary" => TypeKind::Binary,
        "date" => TypeKind::Date,
        "timestamplocaltz" => TypeKind::TimestampLocalTz,
        "timestamp" => timestamp(parser)?,
        "interval" => interval(parser)?,
        "array" => {
            parser.expect_token(&Token::Lt)?;
            let element = hive_type(parser, place)?;
            parser.expect_token(&Token::Gt)?;
            TypeKind::Array(Box::new(element))
        }
        "map" => {
            parser.expect_token(&Token::Lt)?;
            let key = hive_type(parser, place)?;
            parser.expect_token(&Token::Comma)?;
            let value = hive_type(parser, place)?;
            parser.expect_token(&Token::Gt)?;
            TypeKind::Map(Box::new(key), Box::new(value))
        }
        "struct" => structure(parser, place)?,
        "uniontype" => {
            parser.expect_token(&Token::Lt)?;
            let mut members = vec![hive_type(parser, place)?];
            while parser.consume_token(&Token::Comma) {
                members.push(hive_type(parser, place)?);
            }
            parser.expect_token(&Token::Gt)?;
            TypeKind::Union(members)
        }
        _ => return parser.expected("a type", token),
    };
    Ok(HiveType { kind, span: place(token.span) })
}

fn take(parser: &mut Parser, word: &str) -> bool {
    let there = is_word(Some(parser.peek_token_ref()), word);
    if there {
        parser.advance_token();
    }
    there
}

fn expect(parser: &mut Parser, words: &[&str]) -> Result<(), ParserError> {
    for word in words {
        if !take(parser, word) {
            return parser.expected_ref(&word.to_uppercase(), parser.peek_token_ref());
        }
    }
    Ok(())
}

/// A whole number up to `max`.
fn number(parser: &mut Parser, max: u64) -> Result<u64, ParserError> {
    let token = parser.next_token();
    match &token.token {
        Token::Number(digits, _) => match digits.parse() {
            Ok(number) if number <= max => Ok(number),
            _ => parser.expected(&format!("a whole number up to {max}"), token),
        },
        _ => parser.expected("a number", token),
    }
}

fn decimal(parser: &mut Parser) -> Result<TypeKind, ParserError> {
    if !parser.consume_token(&Token::LParen) {
        return Ok(TypeKind::Decimal(10, 0));
    }
    let precision_token = parser.peek_token();
    let precision = number(parser, PRECISION_MAX)?;
    if precision == 0 {
        return parser.expected("a precision from 1 to 38", precision_token);
    }
    let scale = if parser.consume_token(&Token::Comma) { number(parser, precision)? } else { 0 };
    parser.expect_token(&Token::RParen)?;
    // Both were just seen to be at most 38.
    Ok(TypeKind::Decimal(precision as u8, scale as i8))
}

/// `(n)` of VARCHAR and CHAR, which must be there in Hive.
fn length(parser: &mut Parser, max: u64) -> Result<u32, ParserError> {
    parser.expect_token(&Token::LParen)?;
    let length = number(parser, max)?;
    parser.expect_token(&Token::RParen)?;
    Ok(length as u32)
}

fn timestamp(parser: &mut Parser) -> Result<TypeKind, ParserError> {
    if take(parser, "without") {
        expect(parser, &["time", "zone"])?;
        return Ok(TypeKind::Timestamp);
    }
    // `WITH SERDEPROPERTIES` and the like may follow a column only after a bracket.
    if take(parser, "with") {
        expect(parser, &["local", "time", "zone"])?;
        return Ok(TypeKind::TimestampLocalTz);
    }
    Ok(TypeKind::Timestamp)
}

fn interval(parser: &mut Parser) -> Result<TypeKind, ParserError> {
    if take(parser, "year") {
        expect(parser, &["to", "month"])?;
        return Ok(TypeKind::IntervalYearMonth);
    }
    expect(parser, &["day", "to", "second"])?;
    Ok(TypeKind::IntervalDayTime)
}

fn structure(parser: &mut Parser, place: &dyn Fn(tokenizer::Span) -> Span) -> Result<TypeKind, ParserError> {
    parser.expect_token(&Token::Lt)?;
    let mut fields = Vec::new();
    loop {
        let token = parser.next_token();
        let Token::Word(name) = token.token else { return parser.expected("the name of a field", token) };
        parser.expect_token(&Token::Colon)?;
        let data_type = hive_type(parser, place)?;
        let comment = if take(parser, "comment") { Some(parser.parse_literal_string()?) } else { None };
        fields.push((name.value, data_type, comment));
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    parser.expect_token(&Token::Gt)?;
    Ok(TypeKind::Struct(fields))
}

fn to_sql(hive_type: HiveType) -> DataType {
    let character = |length: u32| Some(CharacterLength::IntegerLength { length: length.into(), unit: None });
    match hive_type.kind {
        TypeKind::TinyInt => DataType::TinyInt(None),
        TypeKind::SmallInt => DataType::SmallInt(None),
        TypeKind::Int => DataType::Int(None),
        TypeKind::BigInt => DataType::BigInt(None),
        TypeKind::Float => DataType::Float(ExactNumberInfo::None),
        TypeKind::Double => DataType::Double(ExactNumberInfo::None),
        TypeKind::Decimal(precision, scale) => {
            DataType::Decimal(ExactNumberInfo::PrecisionAndScale(precision.into(), scale.into()))
        }
        TypeKind::String => DataType::String(None),
        TypeKind::Varchar(length) => DataType::Varchar(character(length)),
        TypeKind::Char(length) => DataType::Char(character(length)),
        TypeKind::Boolean => DataType::Boolean,
        TypeKind::Binary => DataType::Binary(None),
        TypeKind::Date => DataType::Date,
        TypeKind::Timestamp => DataType::Timestamp(None, TimezoneInfo::None),
        TypeKind::TimestampLocalTz => DataType::Timestamp(None, TimezoneInfo::WithTimeZone),
        TypeKind::IntervalYearMonth | TypeKind::IntervalDayTime => DataType::Interval { fields: None, precision: None },
        TypeKind::Array(element) => DataType::Array(ArrayElemTypeDef::AngleBracket(Box::new(to_sql(*element)))),
        TypeKind::Map(key, value) => DataType::Map(Box::new(to_sql(*key)), Box::new(to_sql(*value))),
        TypeKind::Struct(fields) => DataType::Struct(
            fields
                .into_iter()
                .map(|(name, field_type, _)| StructField {
                    field_name: Some(Ident::new(name)),
                    field_type: to_sql(field_type),
                    options: None,
                })
                .collect(),
            StructBracketKind::AngleBrackets,
        ),
        TypeKind::Union(members) => DataType::Union(
            members
                .into_iter()
                .enumerate()
                .map(|(tag, member)| UnionField {
                    field_name: Ident::new(format!("_{tag}")),
                    field_type: to_sql(member),
                })
                .collect(),
        ),
    }
}
