//! The place in the script that a planner's error is about.
//!
//! DataFusion's errors name columns, tables and functions, whose words are looked for in the tree; an error of types names
//! none, and its expression is found by trial.

use std::ops::ControlFlow;

use datafusion::common::{DataFusionError, SchemaError};
use sqlparser::ast::{self, Expr, Ident, Spanned, Value};

use super::select_list;
use crate::error::{Error, Result, Span, codes, nearest};
use crate::functions;
use crate::hiveql::{self, Part, Rewriter, SourceMap};

/// Expressions that are tried; a statement with more keeps the whole of it as the place.
const TRIALS_MAX: usize = 256;

/// As [`place`], and an error that has only the whole statement for its place gets that of the innermost expression
/// without which it is gone; of the operator, if that holds for each of its operands. `plan` gives the error that a
/// changed query has.
pub(super) fn place_by_trial(
    error: DataFusionError,
    query: &ast::Query,
    map: &SourceMap,
    plan: &dyn Fn(ast::Query) -> Option<Error>,
) -> Error {
    /// Replaces the expression of a number by NULL, counting from the innermost and the first.
    struct Replace {
        nth: usize,
        seen: usize,
        place: Option<sqlparser::tokenizer::Span>,
    }

    impl Rewriter for Replace {
        fn expr_after(&mut self, expr: &mut Expr) -> Result<()> {
            if self.seen == self.nth {
                self.place = Some(expr.span());
                *expr = Expr::Value(Value::Null.into());
            }
            self.seen += 1;
            Ok(())
        }
    }

    let error = at_word(error, query, map);
    if error.location().is_some() || !is_about_the_statement(&error) {
        return error;
    }
    // Types differ from trial to trial; what is said of them does not.
    let kind = |error: &Error| error.message().split(' ').take(3).map(str::to_string).collect::<Vec<_>>();
    let meant = kind(&error);
    let mut remedies: Vec<Span> = Vec::new();
    for nth in 0..TRIALS_MAX {
        let mut changed = query.clone();
        let mut replace = Replace { nth, seen: 0, place: None };
        if hiveql::rewrite(&mut changed, &mut replace).is_err() || replace.seen <= nth {
            break;
        }
        let Some(place) = replace.place.and_then(|place| map.span_of_expression(place)) else { continue };
        if plan(changed).is_some_and(|other| kind(&other) == meant) || remedies.contains(&place) {
            continue;
        }
        // Two operands that do not fit each other: then it is their operator, which comes after them.
        match remedies.iter().filter(|inner| place.start <= inner.start && inner.end <= place.end).count() {
            0 => remedies.push(place),
            1 => break,
            _ => return error.at(place),
        }
    }
    if let Some(place) = remedies.first() {
        return error.at(*place);
    }
    at_statement(error, map)
}

/// The planner's error with the place of the word that it is about, or that of the statement.
pub(super) fn place(error: DataFusionError, query: &ast::Query, map: &SourceMap) -> Error {
    at_statement(at_word(error, query, map), map)
}

fn at_word(error: DataFusionError, query: &ast::Query, map: &SourceMap) -> Error {
    if let Some(schema_error) = find_schema_error(&error) {
        return schema_error_in_words(schema_error, query, map);
    }
    place_ours(Error::from_datafusion(error), query, map)
}

/// Whether an error that has no place is one of the text.
fn is_about_the_statement(error: &Error) -> bool {
    matches!(error.code(), codes::SEMANTIC | codes::UNSUPPORTED | codes::WRONG_ARGUMENTS | codes::TYPE_MISMATCH)
}

fn at_statement(error: Error, map: &SourceMap) -> Error {
    match is_about_the_statement(&error) {
        true => error.at(map.script_span(0..map.text().len())),
        false => error,
    }
}

/// An error of ours with the place of the word that it is about, if that is found.
pub(super) fn place_ours(error: Error, query: &ast::Query, map: &SourceMap) -> Error {
    match error.code() {
        _ if error.location().is_none() && error.message().starts_with("view `") => {
            let name = backquoted(error.message()).unwrap_or_default().to_string();
            match find_relation(query, map, &name) {
                Some(span) => error.at(span),
                None => error,
            }
        }
        codes::UNKNOWN_TABLE
        | codes::UNKNOWN_DATABASE
        | codes::UNSUPPORTED_SERDE
        | codes::BAD_REGEX
        | codes::NOT_FOUND
        | codes::ACCESS_DENIED
        | codes::NO_INPUT_FILES => {
            let name = backquoted(error.message()).map(|name| name.rsplit('.').next().unwrap_or(name).to_string());
            match name.and_then(|name| find_relation(query, map, &name)) {
                Some(span) => error.at(span),
                None => error,
            }
        }
        codes::SEMANTIC if error.message().contains("require unique expression names") => {
            let name = error.message().split('"').nth(1).and_then(|name| name.rsplit('.').next()).unwrap_or_default();
            place_twice(select_list::twice(name, ""), name, query, map)
        }
        codes::DUPLICATE_COLUMN if error.location().is_none() => {
            let name = error.message().rsplit('`').nth(1).unwrap_or_default().to_string();
            place_twice(error, &name, query, map)
        }
        codes::SEMANTIC if let Some(span) = find_function(query, map, error.message()) => {
            Error::new(codes::WRONG_ARGUMENTS, error.message()).at(span)
        }
        codes::SEMANTIC if error.message().starts_with("incompatible inputs for Union") => {
            Error::new(codes::SEMANTIC, "the queries of this set operation have columns of types that do not fit")
                .with_source(error.message().to_string())
        }
        codes::SEMANTIC if let Some(column) = not_grouped(error.message()) => {
            let message = format!("column `{column}` is neither in GROUP BY nor inside an aggregate function");
            let error = Error::new(codes::SEMANTIC, message);
            match find_name(query, map, |ident| ident.value == column) {
                Some(span) => error.at(span),
                None => error,
            }
        }
        // What DataFusion says of its own trees is no word of the user's.
        codes::UNSUPPORTED if error.location().is_none() && error.message().contains(['{', '(']) => {
            Error::new(codes::UNSUPPORTED, "a part of this statement is not supported yet")
                .with_source(error.message().to_string())
                .at(map.script_span(0..map.text().len()))
        }
        _ => error,
    }
}

fn place_twice(error: Error, name: &str, query: &ast::Query, map: &SourceMap) -> Error {
    let place = select_list::place_of_second(query, name).and_then(|place| map.span_of(place));
    error.at(place.unwrap_or_else(|| map.script_span(0..map.text().len())))
}

fn find_schema_error(error: &DataFusionError) -> Option<&SchemaError> {
    match error {
        DataFusionError::SchemaError(inner, _) => Some(inner),
        DataFusionError::Context(_, inner) => find_schema_error(inner),
        DataFusionError::Diagnostic(_, inner) => find_schema_error(inner),
        DataFusionError::Collection(errors) => errors.iter().find_map(find_schema_error),
        _ => None,
    }
}

fn schema_error_in_words(error: &SchemaError, query: &ast::Query, map: &SourceMap) -> Error {
    match error {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let mut tables: Vec<_> = valid_fields
                .iter()
                .filter_map(|valid| valid.relation.as_ref())
                .map(|relation| relation.table())
                .collect();
            tables.dedup();
            let message = match (&field.relation, tables.as_slice()) {
                (Some(relation), _) => format!("column `{}` not found in table `{}`", field.name, relation.table()),
                (None, [table]) => format!("column `{}` not found in table `{table}`", field.name),
                (None, _) => format!("column `{}` not found", field.name),
            };
            let mut placed = Error::new(codes::UNKNOWN_COLUMN, message);
            if let Some(span) = find_name(query, map, |ident| ident.value == field.name) {
                placed = placed.at(span);
            }
            let names = valid_fields.iter().map(|valid| valid.name.as_str());
            match nearest(&field.name, names) {
                Some(near) => placed.with_hint(format!("did you mean `{near}`?")),
                None => placed,
            }
        }
        SchemaError::AmbiguousReference { field } => {
            let message = format!("column `{}` is in more than one table", field.name);
            let placed =
                Error::new(codes::AMBIGUOUS_COLUMN, message).with_hint(format!("name the table: `t.{}`", field.name));
            match find_name(query, map, |ident| ident.value == field.name) {
                Some(span) => placed.at(span),
                // Nobody refers to it: two columns of one select list.
                None => place_twice(select_list::twice(&field.name, ""), &field.name, query, map),
            }
        }
        SchemaError::DuplicateQualifiedField { name, .. } | SchemaError::DuplicateUnqualifiedField { name } => {
            let placed = Error::new(codes::DUPLICATE_COLUMN, format!("column `{name}` is there twice"));
            match find_name(query, map, |ident| ident.value == *name) {
                Some(span) => placed.at(span),
                None => placed,
            }
        }
    }
}

/// The column that DataFusion misses in GROUP BY.
fn not_grouped(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("column \"")?;
    let (column, rest) = rest.split_once('"')?;
    rest.starts_with(" must appear in the GROUP BY").then(|| column.rsplit('.').next().unwrap_or(column).to_string())
}

fn backquoted(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once('`')?;
    rest.split_once('`').map(|(name, _)| name)
}

/// The place of the function that `message` begins with: `substring takes 2 to 3 arguments`. The script may call it by
/// another of its names.
fn find_function(query: &ast::Query, map: &SourceMap, message: &str) -> Option<Span> {
    let wanted = message.split_whitespace().next()?;
    find(query, map, &|part| match part {
        Part::Expr(Expr::Function(function)) => {
            let name = function.name.to_string();
            let own_name = functions::scalar_function(&name).map(|function| function.name().to_string());
            let is_meant = name == wanted || own_name.as_deref() == Some(wanted);
            is_meant.then(|| function.name.span())
        }
        _ => None,
    })
}

/// The place of the first table of this name in `query`.
fn find_relation(query: &ast::Query, map: &SourceMap, name: &str) -> Option<Span> {
    find(query, map, &|part| match part {
        Part::Relation(relation) => place_in(relation, &|ident| ident.value == name),
        _ => None,
    })
}

/// The place of the first name in `query` that is meant.
fn find_name(query: &ast::Query, map: &SourceMap, is_meant: impl Fn(&Ident) -> bool) -> Option<Span> {
    let place_of = |ident: &Ident| is_meant(ident).then_some(ident.span);
    find(query, map, &|part| match part {
        Part::Relation(relation) => place_in(relation, &is_meant),
        Part::Expr(Expr::Identifier(ident)) => place_of(ident),
        Part::Expr(Expr::CompoundIdentifier(idents)) => idents.iter().rev().find_map(place_of),
        _ => None,
    })
}

fn place_in(relation: &ast::ObjectName, is_meant: &dyn Fn(&Ident) -> bool) -> Option<sqlparser::tokenizer::Span> {
    relation.0.iter().filter_map(|part| part.as_ident()).find(|ident| is_meant(ident)).map(|ident| ident.span)
}

/// The first place in the script that `place_of` gives for a part of `query`.
fn find(
    query: &ast::Query,
    map: &SourceMap,
    place_of: &dyn Fn(Part<'_>) -> Option<sqlparser::tokenizer::Span>,
) -> Option<Span> {
    let mut found = None;
    hiveql::walk(query, &mut |part| {
        found = place_of(part);
        if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    map.span_of(found?)
}
