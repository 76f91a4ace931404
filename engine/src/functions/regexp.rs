//! Functions of regular expressions, and LIKE.
//!
//! Source: Hive `GenericUDFRegExp`, `UDFRegExpExtract`, `UDFRegExpReplace`, `GenericUDFSplit`, `UDFLike`.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringViewBuilder};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};

use super::builtin::{Arguments, Builtin, CallTypes, Column, Kind, fixed_types};
use super::pattern::{JavaRegex, compile};
use super::text::string_list;

pub(super) fn builtins() -> Vec<Builtin> {
    vec![
        Builtin::fixed("rlike", &[Kind::String, Kind::String], 0, Kind::Boolean, rlike).alias(&["regexp"]),
        Builtin::fixed("like", &[Kind::String, Kind::String], 0, Kind::Boolean, like),
        Builtin::fixed("regexp_extract", &[Kind::String, Kind::String, Kind::Int], 1, Kind::String, regexp_extract),
        Builtin::fixed("regexp_replace", &[Kind::String, Kind::String, Kind::String], 0, Kind::String, regexp_replace),
        Builtin::new("split", split_types, split),
    ]
}

/// The pattern of the row before, so that a constant is looked up once a batch.
#[derive(Default)]
struct Last(Option<(String, Arc<JavaRegex>)>);

impl Last {
    fn get(&mut self, pattern: &str) -> Result<Arc<JavaRegex>> {
        match &self.0 {
            Some((last, regex)) if last == pattern => Ok(Arc::clone(regex)),
            _ => {
                let regex = compile(pattern)?;
                self.0 = Some((pattern.to_owned(), Arc::clone(&regex)));
                Ok(regex)
            }
        }
    }
}

/// Whether the pattern occurs anywhere; an empty pattern occurs nowhere.
fn rlike(arguments: &Arguments) -> Result<ArrayRef> {
    let (texts, patterns) = (arguments.strings(0)?, arguments.strings(1)?);
    let mut last = Last::default();
    let mut error = None;
    let found = arguments.to_booleans(|row| {
        let (text, pattern) = (texts.get(row)?, patterns.get(row)?);
        if pattern.is_empty() {
            return Some(false);
        }
        keep(&mut error, last.get(pattern).and_then(|regex| regex.is_match(text)))
    });
    error.map_or(found, Err)
}

/// Keeps the first error for the end of the batch.
fn keep<T>(error: &mut Option<datafusion::common::DataFusionError>, result: Result<T>) -> Option<T> {
    result.map_err(|e| error.get_or_insert(e)).ok()
}

/// `%` is any text and `_` any character; `\` takes the meaning from either.
fn like(arguments: &Arguments) -> Result<ArrayRef> {
    let (texts, patterns) = (arguments.full(0)?, arguments.full(1)?);
    if arguments.is_constant(1) {
        let pattern = arrow::array::Scalar::new(Arc::clone(arguments.array(1)));
        return Ok(Arc::new(arrow::compute::like(&texts, &pattern)?));
    }
    Ok(Arc::new(arrow::compute::like(&texts, &patterns)?))
}

/// A group of the first occurrence, the first group if none is named; empty text if there is no occurrence.
///
/// Errors: a group that the pattern does not have.
fn regexp_extract(arguments: &Arguments) -> Result<ArrayRef> {
    let (texts, patterns) = (arguments.strings(0)?, arguments.strings(1)?);
    let groups = if arguments.len() > 2 { Some(arguments.ints(2)?) } else { None };
    let mut last = Last::default();
    let mut error = None;
    let extracted = arguments.to_slices(|row| {
        let (text, pattern) = (texts.get(row)?, patterns.get(row)?);
        let group = match &groups {
            Some(groups) => groups.get(row)?,
            None => 1,
        };
        keep(&mut error, last.get(pattern).and_then(|regex| extract(&regex, text, group)))?
    });
    error.map_or(extracted, Err)
}

fn extract<'a>(regex: &JavaRegex, text: &'a str, group: i32) -> Result<Option<&'a str>> {
    if group == 0 {
        return Ok(Some(regex.find(text, 0)?.map_or("", |(start, end)| &text[start..end])));
    }
    let Some(groups) = regex.captures(text, 0)? else { return Ok(Some("")) };
    match usize::try_from(group).ok().and_then(|group| groups.get(group)) {
        Some(found) => Ok(found.map(|(start, end)| &text[start..end])),
        None => exec_err!("regexp_extract: no group {group}, the pattern has {}", regex.group_count()),
    }
}

fn regexp_replace(arguments: &Arguments) -> Result<ArrayRef> {
    let (texts, patterns, replacements) = (arguments.strings(0)?, arguments.strings(1)?, arguments.strings(2)?);
    let mut last = Last::default();
    let mut error = None;
    let replaced = arguments.to_strings(|row, out| {
        let (text, pattern, replacement) = (texts.get(row)?, patterns.get(row)?, replacements.get(row)?);
        keep(&mut error, last.get(pattern).and_then(|regex| regex.replace_all(text, replacement, out)))
    });
    error.map_or(replaced, Err)
}

fn split_types(given: &[DataType]) -> Result<CallTypes> {
    fixed_types("split", &[Kind::String, Kind::String], 0, string_list(), given)
}

/// `split(s, p)`: the pieces between occurrences of a pattern, with empty pieces at the end kept.
fn split(arguments: &Arguments) -> Result<ArrayRef> {
    let texts: Column<'_, _> = arguments.strings(0)?;
    let patterns = arguments.strings(1)?;
    let mut last = Last::default();
    let mut lists = ListBuilder::new(StringViewBuilder::new());
    for row in 0..arguments.rows {
        match (texts.get(row), patterns.get(row)) {
            (Some(text), Some(pattern)) => {
                let values = lists.values();
                last.get(pattern)?.split(text, |piece| values.append_value(piece))?;
                lists.append(true);
            }
            _ => lists.append(false),
        }
    }
    Ok(Arc::new(lists.finish()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_error};

    #[test]
    fn matching() {
        check("rlike('fb', '.*')", "true");
        check("rlike('foobar', '^o')", "false");
        check("regexp('foobar', 'o+b')", "true");
        check("rlike('a', '')", "false");
        check("rlike(NULL, 'a')", "NULL");
        check("rlike('Googlebot/2.1', '(?i)BOT|crawl')", "true");
        check(r"rlike('end', 'd$')", "true");
        check_error("rlike('a', '(')", "does not compile");
    }

    #[test]
    fn like_with_escapes() {
        check("like('a_b', 'a\\_b')", "true");
        check("like('axb', 'a\\_b')", "false");
        check("like('axb', 'a_b')", "true");
        check("like('x.php?a=1', '%.php%')", "true");
        check("like(NULL, 'a')", "NULL");
        check("like(123, '1%')", "true");
    }

    #[test]
    fn extracting() {
        check(r"regexp_extract('100-200', '(\d+)-(\d+)', 2)", "200");
        check(r"regexp_extract('100-200', '(\d+)-(\d+)')", "100");
        check(r"regexp_extract('100-200', '\d+', 0)", "100");
        check("regexp_extract('abc', 'x(y)', 1)", "");
        check("regexp_extract('a', '(b)?a', 1)", "NULL");
        check_error("regexp_extract('a', 'a')", "no group 1");
        check("regexp_extract('b', 'a')", "");
        check(r"regexp_replace('foobar', 'oo|ar', '')", "fb");
        check(r"regexp_replace('2014/07/05', '(\d+)/(\d+)/(\d+)', '$3-$2-$1')", "05-07-2014");
    }

    #[test]
    fn splitting() {
        check("split('a,b,,', ',')", "[\"a\",\"b\",\"\",\"\"]");
        check("split('oneAtwoBthree', '[ABC]')", "[\"one\",\"two\",\"three\"]");
        check("split('a b', ' ')[1]", "b");
        check("split('a b', ' ')[5]", "NULL");
        check("split(NULL, ',')", "NULL");
    }
}
