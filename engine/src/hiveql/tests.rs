//! Whole statements: every construct of the table, the tutorial script's variants, places of errors, and limits.

mod constructs;
mod errors;
mod limits;
mod properties;
mod trees;
mod tutorial;

use std::sync::Arc;

use crate::error::{Location, Result, SourceText};

use super::{Parsed, Variables, parse, split};

/// Variables of the tests: `INPUT`, `OUTPUT`, and in the `Lex` constructs some that stand for names.
struct Values;

impl Variables for Values {
    fn hivevar(&self, name: &str) -> Option<String> {
        let value = match name {
            "INPUT" => "s3://in",
            "OUTPUT" => "s3://out",
            "DATE" => "'2020-01-01'",
            "tbl" => "t",
            "col" => "a",
            "db" => "d",
            _ => return None,
        };
        Some(value.to_owned())
    }
    fn hiveconf(&self, name: &str) -> Option<String> {
        (name == "DATE").then(|| "2020-01-01".to_owned())
    }
    fn env(&self, _name: &str) -> Option<String> {
        None
    }
    fn system(&self, _name: &str) -> Option<String> {
        None
    }
    fn substitute(&self) -> bool {
        true
    }
}

fn source(text: &str) -> Arc<SourceText> {
    Arc::new(SourceText { name: "test.q".into(), text: text.into() })
}

/// Parses every statement of a script file.
fn parse_all(text: &str) -> Result<Vec<Parsed>> {
    let source = source(text);
    split(&source, true)?.iter().map(|piece| parse(&source, piece, &Values)).collect()
}

/// Message, the text that the error points at, and hints of the script's first error.
fn error_of(text: &str) -> (String, String, Vec<String>) {
    let error = parse_all(text).expect_err(text);
    let Some(Location::Script { span, .. }) = error.location() else { panic!("an error without a place: {error:?}") };
    (error.message().to_owned(), text[span.range()].to_owned(), error.hints().to_vec())
}
