//! Parts of strings and places in them; positions count characters from 1.
//!
//! Source: Hive `UDFSubstr` (0 counts as 1, negative positions count from the end), `GenericUDFSubstringIndex`,
//! `GenericUDFInstr`, `GenericUDFLocate`, `GenericUDFTrim` … (blanks only), `GenericUDFBasePad`.

use arrow::array::ArrayRef;
use datafusion::common::Result;

use super::builtin::{Arguments, Builtin, Kind};

pub(super) fn builtins() -> Vec<Builtin> {
    vec![
        Builtin::fixed("substring", &[Kind::String, Kind::Int, Kind::Int], 1, Kind::String, substring)
            .alias(&["substr", "mid"]),
        Builtin::fixed("substring_index", &[Kind::String, Kind::String, Kind::Int], 0, Kind::String, substring_index),
        Builtin::fixed("instr", &[Kind::String, Kind::String], 0, Kind::Int, |arguments| {
            let (texts, needles) = (arguments.strings(0)?, arguments.strings(1)?);
            arguments.to_ints(|row| Some(find(texts.get(row)?, needles.get(row)?, 1)))
        }),
        Builtin::fixed("locate", &[Kind::String, Kind::String, Kind::Int], 1, Kind::Int, |arguments| {
            let (needles, texts) = (arguments.strings(0)?, arguments.strings(1)?);
            let starts = if arguments.len() > 2 { Some(arguments.ints(2)?) } else { None };
            arguments.to_ints(|row| {
                let (needle, text) = (needles.get(row)?, texts.get(row)?);
                let start = match &starts {
                    // A NULL start finds nothing, it is not NULL.
                    Some(starts) => starts.get(row).unwrap_or(0),
                    None => 1,
                };
                Some(find(text, needle, start))
            })
        })
        .alias(&["position"]),
        trimmed("trim", |text| text.trim_matches(' ')).alias(&["btrim"]),
        trimmed("ltrim", |text| text.trim_start_matches(' ')),
        trimmed("rtrim", |text| text.trim_end_matches(' ')),
        Builtin::fixed("lpad", &[Kind::String, Kind::Int, Kind::String], 0, Kind::String, |arguments| {
            pad(arguments, |text, padding, out| {
                out.push_str(padding);
                out.push_str(text);
            })
        }),
        Builtin::fixed("rpad", &[Kind::String, Kind::Int, Kind::String], 0, Kind::String, |arguments| {
            pad(arguments, |text, padding, out| {
                out.push_str(text);
                out.push_str(padding);
            })
        }),
    ]
}

fn trimmed(name: &'static str, f: fn(&str) -> &str) -> Builtin {
    Builtin::fixed(name, &[Kind::String], 0, Kind::String, move |arguments| {
        let texts = arguments.strings(0)?;
        arguments.to_slices(|row| texts.get(row).map(f))
    })
}

fn substring(arguments: &Arguments) -> Result<ArrayRef> {
    let (texts, positions) = (arguments.strings(0)?, arguments.ints(1)?);
    let lengths = if arguments.len() > 2 { Some(arguments.ints(2)?) } else { None };
    arguments.to_slices(|row| {
        let (text, position) = (texts.get(row)?, positions.get(row)?);
        let length = match &lengths {
            Some(lengths) => lengths.get(row)?,
            None => i32::MAX,
        };
        Some(part(text, i64::from(position), i64::from(length)))
    })
}

fn part(text: &str, position: i64, length: i64) -> &str {
    if length <= 0 {
        return "";
    }
    if text.is_ascii() {
        let n = text.len() as i64;
        if position.abs() > n {
            return "";
        }
        let start = start_of(position, n);
        return &text[start as usize..(start + length).min(n) as usize];
    }
    let n = text.chars().count() as i64;
    if position.abs() > n {
        return "";
    }
    let start = start_of(position, n);
    let byte_at = |at: i64| text.char_indices().nth(at as usize).map_or(text.len(), |(byte, _)| byte);
    &text[byte_at(start)..byte_at((start + length).min(n))]
}

fn start_of(position: i64, n: i64) -> i64 {
    match position {
        p if p > 0 => p - 1,
        p if p < 0 => n + p,
        _ => 0,
    }
}

fn substring_index(arguments: &Arguments) -> Result<ArrayRef> {
    let (texts, delimiters, counts) = (arguments.strings(0)?, arguments.strings(1)?, arguments.ints(2)?);
    arguments.to_slices(|row| {
        let (text, delimiter, count) = (texts.get(row)?, delimiters.get(row)?, counts.get(row)?);
        if delimiter.is_empty() || count == 0 {
            return Some("");
        }
        let nth = count.unsigned_abs() as usize - 1;
        if count > 0 {
            return Some(text.match_indices(delimiter).nth(nth).map_or(text, |(at, _)| &text[..at]));
        }
        // Hive skips one character after the delimiter's start, however long the delimiter is.
        Some(
            text.rmatch_indices(delimiter)
                .nth(nth)
                .map_or(text, |(at, found)| &text[at + found.chars().next().map_or(0, char::len_utf8)..]),
        )
    })
}

/// Where `needle` begins at or after character `start`, counted from 1; 0 if nowhere.
fn find(text: &str, needle: &str, start: i32) -> i32 {
    let Ok(skip) = usize::try_from(i64::from(start) - 1) else { return 0 };
    let Some(byte) = text.char_indices().map(|(byte, _)| byte).chain([text.len()]).nth(skip) else { return 0 };
    if needle.is_empty() {
        return 1;
    }
    match text[byte..].find(needle) {
        Some(at) => text[..byte + at].chars().count() as i32 + 1,
        None => 0,
    }
}

fn pad(arguments: &Arguments, join: impl Fn(&str, &str, &mut String)) -> Result<ArrayRef> {
    let (texts, lengths, pads) = (arguments.strings(0)?, arguments.ints(1)?, arguments.strings(2)?);
    let mut padding = String::new();
    arguments.to_strings(|row, out| {
        let (text, length, pad) = (texts.get(row)?, lengths.get(row)?, pads.get(row)?);
        if pad.is_empty() {
            return None;
        }
        let length = length.max(0) as usize;
        let n = text.chars().count();
        if n >= length {
            out.push_str(part(text, 1, length as i64));
            return Some(());
        }
        padding.clear();
        padding.extend(pad.chars().cycle().take(length - n));
        join(text, &padding, out);
        Some(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_error};

    #[test]
    fn parts() {
        check("substr('Facebook', 5)", "book");
        check("substring('Facebook', -5)", "ebook");
        check("substr('Facebook', 5, 1)", "b");
        check("substr('Facebook', 0, 4)", "Face");
        check("substr('abc', 7)", "");
        check("substr('äöü', 2, 1)", "ö");
        check("substr('abc', 1, 0)", "");
        check("substr('abc', 1, -1)", "");
        check("substring('2014-07-05' , 2, 3)", "014");
        check("substr(NULL, 1)", "NULL");
        check("substring_index('www.apache.org', '.', 2)", "www.apache");
        check("substring_index('www.apache.org', '.', -1)", "org");
        check("substring_index('www', '.', 1)", "www");
        check_error("mid('a')", "substring takes 2 to 3 arguments, found 1");
    }

    #[test]
    fn places() {
        check("instr('Facebook', 'boo')", "5");
        check("instr('Facebook', 'x')", "0");
        check("locate('bar', 'foobarbar')", "4");
        check("locate('bar', 'foobarbar', 5)", "7");
        check("locate('ü', 'äöü')", "3");
        check("locate('a', NULL)", "NULL");
    }

    #[test]
    fn padding() {
        check("trim('  a b ')", "a b");
        check("ltrim('  a ')", "a ");
        check("rtrim(' a  ')", " a");
        check("lpad('hi', 5, '??')", "???hi");
        check("lpad('hi', 1, '??')", "h");
        check("lpad('hi', 5, '')", "NULL");
        check("rpad('hi', 5, 'ab')", "hiaba");
    }
}
