//! Letters and characters: case, length, `reverse`, `repeat`, `translate`, `concat` and their kin.
//!
//! Positions and lengths count characters (code points). Source: Hive `GenericUDFLower`, `GenericUDFUpper`,
//! `GenericUDFInitCap`, `GenericUDFLength`, `UDFReverse`, `UDFRepeat`, `UDFSpace`, `UDFAscii`, `UDFChr`,
//! `GenericUDFTranslate`, `UDFReplace`, `GenericUDFConcat`, `GenericUDFConcatWS`, `GenericUDFElt`, `GenericUDFField`,
//! `UDFFindInSet`.

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, plan_err};
use std::sync::Arc;

use super::builtin::{Arguments, Builtin, CallTypes, Kind, check_count, list_range, type_name};
use super::common_type::is_binary;

pub(super) fn builtins() -> Vec<Builtin> {
    vec![
        rewritten("lower", |text, out| out.push_str(&text.to_lowercase())).alias(&["lcase"]),
        rewritten("upper", |text, out| out.push_str(&text.to_uppercase())).alias(&["ucase"]),
        rewritten("initcap", initcap),
        rewritten("reverse", |text, out| out.extend(text.chars().rev())),
        measured("length", |text| text.chars().count() as i32, |bytes| bytes.len() as i32)
            .alias(&["char_length", "character_length"]),
        measured("octet_length", |text| text.len() as i32, |bytes| bytes.len() as i32),
        measured("ascii", |text| text.bytes().next().map_or(0, i32::from), |b| b.first().map_or(0, |b| i32::from(*b))),
        Builtin::fixed("chr", &[Kind::Long], 0, Kind::String, |arguments| {
            let codes = arguments.longs(0)?;
            arguments.to_strings(|row, out| {
                let code = codes.get(row)?;
                if code >= 0 {
                    out.push(char::from((code % 256) as u8));
                }
                Some(())
            })
        }),
        Builtin::fixed("repeat", &[Kind::String, Kind::Int], 0, Kind::String, |arguments| {
            let (texts, counts) = (arguments.strings(0)?, arguments.ints(1)?);
            arguments.to_strings(|row, out| {
                let (text, count) = (texts.get(row)?, counts.get(row)?);
                (0..count).for_each(|_| out.push_str(text));
                Some(())
            })
        }),
        Builtin::fixed("space", &[Kind::Int], 0, Kind::String, |arguments| {
            let counts = arguments.ints(0)?;
            arguments.to_strings(|row, out| {
                (0..counts.get(row)?).for_each(|_| out.push(' '));
                Some(())
            })
        }),
        Builtin::fixed("translate", &[Kind::String, Kind::String, Kind::String], 0, Kind::String, translate),
        Builtin::fixed("replace", &[Kind::String, Kind::String, Kind::String], 0, Kind::String, |arguments| {
            let (texts, from, to) = (arguments.strings(0)?, arguments.strings(1)?, arguments.strings(2)?);
            arguments.to_strings(|row, out| {
                let (text, from, to) = (texts.get(row)?, from.get(row)?, to.get(row)?);
                out.push_str(&if from.is_empty() { text.to_owned() } else { text.replace(from, to) });
                Some(())
            })
        }),
        Builtin::new("concat", |given| all_strings("concat", given, 1), concat),
        Builtin::new("concat_ws", concat_ws_types, concat_ws),
        Builtin::new("elt", elt_types, elt),
        Builtin::new(
            "field",
            |given| {
                let types = all_strings("field", given, 2)?;
                Ok(CallTypes { arguments: types.arguments, result: DataType::Int32 })
            },
            field,
        ),
        Builtin::fixed("find_in_set", &[Kind::String, Kind::String], 0, Kind::Int, |arguments| {
            let (needles, sets) = (arguments.strings(0)?, arguments.strings(1)?);
            arguments.to_ints(|row| {
                let (needle, set) = (needles.get(row)?, sets.get(row)?);
                if needle.contains(',') {
                    return Some(0);
                }
                Some(set.split(',').position(|item| item == needle).map_or(0, |at| at as i32 + 1))
            })
        }),
    ]
}

fn rewritten(name: &'static str, f: fn(&str, &mut String)) -> Builtin {
    Builtin::fixed(name, &[Kind::String], 0, Kind::String, move |arguments| {
        let texts = arguments.strings(0)?;
        arguments.to_strings(|row, out| {
            f(texts.get(row)?, out);
            Some(())
        })
    })
}

fn measured(name: &'static str, of_text: fn(&str) -> i32, of_bytes: fn(&[u8]) -> i32) -> Builtin {
    let types = move |given: &[DataType]| {
        check_count(name, given, 1, 1)?;
        if given[0].is_nested() {
            return plan_err!("{name} takes a string or binary, found {}", type_name(&given[0]));
        }
        let argument = if is_binary(&given[0]) { DataType::Binary } else { DataType::Utf8View };
        Ok(CallTypes { arguments: vec![argument], result: DataType::Int32 })
    };
    Builtin::new(name, types, move |arguments| match arguments.data_type(0) {
        DataType::Binary => {
            let values = arguments.binaries(0)?;
            arguments.to_ints(|row| values.get(row).map(of_bytes))
        }
        _ => {
            let values = arguments.strings(0)?;
            arguments.to_ints(|row| values.get(row).map(of_text))
        }
    })
}

/// Words are separated by white space; all letters but the first of a word become small.
fn initcap(text: &str, out: &mut String) {
    let mut start = true;
    for c in text.chars() {
        if start {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        start = c.is_whitespace();
    }
}

/// Each character of `from` becomes the one at its place in `to`, or goes if `to` is shorter.
fn translate(arguments: &Arguments) -> Result<ArrayRef> {
    let (texts, from, to) = (arguments.strings(0)?, arguments.strings(1)?, arguments.strings(2)?);
    arguments.to_strings(|row, out| {
        let (text, from, to) = (texts.get(row)?, from.get(row)?, to.get(row)?);
        for c in text.chars() {
            match from.chars().position(|f| f == c) {
                Some(position) => out.extend(to.chars().nth(position)),
                None => out.push(c),
            }
        }
        Some(())
    })
}

fn all_strings(name: &str, given: &[DataType], min: usize) -> Result<CallTypes> {
    check_count(name, given, min, usize::MAX)?;
    if let Some(nested) = given.iter().find(|t| t.is_nested()) {
        return plan_err!("{name} takes strings, found {}", type_name(nested));
    }
    Ok(CallTypes { arguments: vec![DataType::Utf8View; given.len()], result: DataType::Utf8View })
}

/// One NULL makes all NULL.
fn concat(arguments: &Arguments) -> Result<ArrayRef> {
    let columns = (0..arguments.len()).map(|p| arguments.strings(p)).collect::<Result<Vec<_>>>()?;
    arguments.to_strings(|row, out| {
        for column in &columns {
            out.push_str(column.get(row)?);
        }
        Some(())
    })
}

fn concat_ws_types(given: &[DataType]) -> Result<CallTypes> {
    check_count("concat_ws", given, 2, usize::MAX)?;
    let mut arguments = Vec::with_capacity(given.len());
    for data_type in given {
        arguments.push(match data_type {
            DataType::List(_) if !arguments.is_empty() => string_list(),
            other if other.is_nested() => {
                return plan_err!("concat_ws takes strings and arrays of strings, found {}", type_name(other));
            }
            _ => DataType::Utf8View,
        });
    }
    Ok(CallTypes { arguments, result: DataType::Utf8View })
}

/// The type of an array of strings.
pub(super) fn string_list() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8View, true)))
}

/// NULLs are left out; only a NULL separator makes the result NULL.
fn concat_ws(arguments: &Arguments) -> Result<ArrayRef> {
    let separators = arguments.strings(0)?;
    arguments.to_strings(|row, out| {
        let separator = separators.get(row)?;
        let mut first = true;
        let mut push = |text: &str, out: &mut String| {
            if !std::mem::take(&mut first) {
                out.push_str(separator);
            }
            out.push_str(text);
        };
        for position in 1..arguments.len() {
            let (array, at) = (arguments.array(position), arguments.row(position, row));
            if let Some(texts) = array.as_string_view_opt() {
                if !texts.is_null(at) {
                    push(texts.value(at), out);
                }
            } else if let Some((values, range)) = list_range(array, at) {
                let values: &StringViewArray = values.as_string_view();
                range.filter(|i| !values.is_null(*i)).for_each(|i| push(values.value(i), out));
            }
        }
        Some(())
    })
}

fn elt_types(given: &[DataType]) -> Result<CallTypes> {
    let mut types = all_strings("elt", given, 2)?;
    types.arguments[0] = DataType::Int32;
    Ok(types)
}

fn elt(arguments: &Arguments) -> Result<ArrayRef> {
    let index = arguments.ints(0)?;
    let columns = (1..arguments.len()).map(|p| arguments.strings(p)).collect::<Result<Vec<_>>>()?;
    arguments.to_slices(|row| columns.get(usize::try_from(index.get(row)?.checked_sub(1)?).ok()?)?.get(row))
}

fn field(arguments: &Arguments) -> Result<ArrayRef> {
    let columns = (0..arguments.len()).map(|p| arguments.strings(p)).collect::<Result<Vec<_>>>()?;
    arguments.to_ints(|row| {
        let Some(wanted) = columns[0].get(row) else { return Some(0) };
        Some(columns[1..].iter().position(|c| c.get(row) == Some(wanted)).map_or(0, |at| at as i32 + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_error};

    #[test]
    fn letters() {
        check("lower('ÄB')", "äb");
        check("ucase('ab')", "AB");
        check("initcap('tHE soap')", "The Soap");
        check("length('äöü')", "3");
        check("octet_length('äöü')", "6");
        check("reverse('abc')", "cba");
        check("repeat('ab', 3)", "ababab");
        check("space(2)", "  ");
        check("ascii('A')", "65");
        check("translate('translate', 'rnlt', '123')", "1a2s3ae");
        check("length(12345)", "5");
        check_error("length()", "length takes 1 argument, found 0");
    }

    #[test]
    fn concatenation() {
        check("concat('a', 1, 2.5)", "a12.5");
        check("concat('a', NULL)", "NULL");
        check("'a' || 'b' || NULL", "NULL");
        check("concat_ws(',', 'a', NULL, 'b')", "a,b");
        check("concat_ws(',', array('a', 'b'), 'c')", "a,b,c");
        check("concat_ws(NULL, 'a')", "NULL");
        check("elt(2, 'a', 'b')", "b");
        check("field('b', 'a', 'b')", "2");
        check("find_in_set('ab', 'abc,b,ab,c')", "3");
    }
}
