//! The table of HiveQL constructs: `constructs.tsv`, raw but for `\n` and `\r` in the group `Lex`.
//!
//! Columns: group, construct, `ok` or `error`, and the kinds of the statements it holds. A row with variables or
//! several statements is parsed as a script.

use super::parse_all;
use crate::hiveql::Statement;

const CONSTRUCTS: &str = include_str!("constructs.tsv");

#[derive(Debug)]
pub(super) struct Row {
    pub text: String,
    pub is_ok: bool,
    pub kinds: String,
}

pub(super) fn rows() -> Vec<Row> {
    let row = |line: &str| {
        let mut fields = line.split('\t');
        let (group, text) = (fields.next().unwrap(), fields.next().unwrap());
        let text = if group == "Lex" { text.replace("\\n", "\n").replace("\\r", "\r") } else { text.to_owned() };
        Row { text, is_ok: fields.next() == Some("ok"), kinds: fields.next().unwrap_or("").to_owned() }
    };
    CONSTRUCTS.lines().skip(1).map(row).collect()
}

/// The name of the statement's variant.
fn kind(statement: &Statement) -> String {
    let shown = format!("{statement:?}");
    shown.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("").to_owned()
}

#[test]
fn every_construct_parses_as_what_it_is() {
    let mut wrong = Vec::new();
    for row in rows() {
        let kinds = parse_all(&row.text)
            .map(|all| all.iter().map(|parsed| kind(&parsed.statement)).collect::<Vec<_>>().join(" "));
        match kinds {
            Ok(kinds) if row.is_ok && kinds == row.kinds => {}
            Ok(kinds) => wrong.push(format!("{}\n    parsed as {kinds}", row.text)),
            Err(_) if !row.is_ok => {}
            Err(error) => wrong.push(format!("{}\n    {error:?}", row.text)),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
