//! Arrays, maps and structs: making them, looking into them.
//!
//! `a[i]` counts from 0 and is NULL outside; `m[k]` is NULL for a key that is not there. Source: Hive `GenericUDFArray`,
//! `GenericUDFMap`, `GenericUDFStruct`, `GenericUDFNamedStruct`, `GenericUDFIndex`, `GenericUDFSize` (-1 for NULL),
//! `GenericUDFArrayContains`, `GenericUDFSortArray`, `GenericUDFMapKeys`, `GenericUDFStringToMap`.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, MapBuilder, MapFieldNames, StringViewBuilder, StructArray,
    make_comparator, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{SortOptions, interleave, sort, take};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::ReturnFieldArgs;

use super::builtin::{Arguments, Builtin, CallTypes, Kind, check_count, list_range, type_name};
use super::cast::cast_array;
use super::common_type::{common_type, normal};
use super::pattern::compile;

pub(super) fn builtins() -> Vec<Builtin> {
    vec![
        Builtin::new("array", array_types, array),
        Builtin::new("map", map_types, map),
        Builtin::new("struct", struct_types, |a| structure(a, 0, 1)),
        Builtin::new("named_struct", |given| named_struct_types(given, None), |a| structure(a, 1, 2))
            .result_of_constants(named_struct_result),
        Builtin::new("__index", index_types, index),
        Builtin::new("size", size_types, size),
        Builtin::new("array_contains", contains_types, array_contains),
        Builtin::new("sort_array", |given| list_types("sort_array", given, 1), sort_array),
        Builtin::new("map_keys", |given| entry_types("map_keys", given, 0), |a| entries(a, 0)),
        Builtin::new("map_values", |given| entry_types("map_values", given, 1), |a| entries(a, 1)),
        Builtin::new("str_to_map", str_to_map_types, str_to_map),
        Builtin::new("__distinct_key", struct_types, distinct_key),
    ]
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

fn map_of(key: DataType, value: DataType) -> DataType {
    let fields = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields), false)), false)
}

fn common_of<'a>(name: &str, types: impl Iterator<Item = &'a DataType>) -> Result<DataType> {
    let mut common = DataType::Null;
    for data_type in types {
        common = match common_type(&common, data_type) {
            Some(common) => common,
            None => {
                return plan_err!("{name} holds one type, found {} and {}", type_name(&common), type_name(data_type));
            }
        };
    }
    // Hive has no array of void; text holds NULLs as well.
    Ok(if common.is_null() { DataType::Utf8View } else { common })
}

fn array_types(given: &[DataType]) -> Result<CallTypes> {
    let item = common_of("array", given.iter())?;
    Ok(CallTypes { arguments: vec![item.clone(); given.len()], result: list_of(item) })
}

fn array(arguments: &Arguments) -> Result<ArrayRef> {
    let DataType::List(item) = &arguments.result else { return plan_err!("array gives an array") };
    let n = arguments.len();
    let values = if n == 0 {
        new_null_array(item.data_type(), 0)
    } else {
        let arrays: Vec<&dyn Array> = (0..n).map(|p| arguments.array(p).as_ref()).collect();
        let indices = (0..arguments.rows).flat_map(|row| (0..n).map(move |p| (p, row)));
        let indices: Vec<_> = indices.map(|(p, row)| (p, arguments.row(p, row))).collect();
        interleave(&arrays, &indices)?
    };
    let offsets = OffsetBuffer::from_repeated_length(n, arguments.rows);
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, None)?))
}

fn map_types(given: &[DataType]) -> Result<CallTypes> {
    if !given.len().is_multiple_of(2) {
        return plan_err!("map takes keys and values in turn, found {} arguments", given.len());
    }
    let key = common_of("map", given.iter().step_by(2))?;
    let value = common_of("map", given.iter().skip(1).step_by(2))?;
    let arguments = [key.clone(), value.clone()].into_iter().cycle().take(given.len()).collect();
    Ok(CallTypes { arguments, result: map_of(key, value) })
}

/// A later entry replaces an earlier one of the same key, in its place; entries without a key are left out.
fn map(arguments: &Arguments) -> Result<ArrayRef> {
    let DataType::Map(entry_field, _) = &arguments.result else { return plan_err!("map gives a map") };
    let DataType::Struct(fields) = entry_field.data_type() else { return plan_err!("a map has entries") };
    let n = arguments.len() / 2;
    let (mut picked, mut lengths) = (Vec::new(), Vec::with_capacity(arguments.rows));
    let comparators = (0..n)
        .map(|p| {
            (0..n)
                .map(|q| make_comparator(arguments.array(2 * p), arguments.array(2 * q), SortOptions::default()))
                .collect::<Result<Vec<_>, _>>()
        })
        .collect::<Result<Vec<_>, _>>()?;
    for row in 0..arguments.rows {
        let at = |p: usize| arguments.row(p, row);
        let mut kept: Vec<(usize, usize)> = Vec::with_capacity(n);
        for (p, comparators) in comparators.iter().enumerate() {
            if arguments.array(2 * p).is_null(at(2 * p)) {
                continue;
            }
            match kept.iter_mut().find(|(q, _)| comparators[*q](at(2 * p), at(2 * *q)).is_eq()) {
                Some((_, value)) => *value = p,
                None => kept.push((p, p)),
            }
        }
        lengths.push(kept.len());
        picked.extend(kept.iter().map(|(k, v)| ((*k, at(2 * k)), (*v, at(2 * v + 1)))));
    }
    let column = |which: usize, indices: Vec<(usize, usize)>| -> Result<ArrayRef> {
        if n == 0 {
            return Ok(new_null_array(fields[which].data_type(), 0));
        }
        let arrays: Vec<&dyn Array> = (0..n).map(|p| arguments.array(2 * p + which).as_ref()).collect();
        Ok(interleave(&arrays, &indices)?)
    };
    let (keys, values): (Vec<_>, Vec<_>) = picked.into_iter().unzip();
    let columns = vec![column(0, keys)?, column(1, values)?];
    let entries = StructArray::try_new(fields.clone(), columns, None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(MapArray::try_new(Arc::clone(entry_field), offsets, entries, None, false)?))
}

/// `col1`, `col2`, …
fn struct_types(given: &[DataType]) -> Result<CallTypes> {
    check_count("struct", given, 1, usize::MAX)?;
    let types: Vec<DataType> = given.iter().map(|t| if t.is_null() { DataType::Utf8View } else { normal(t) }).collect();
    let fields = types.iter().enumerate().map(|(i, t)| Field::new(format!("col{}", i + 1), t.clone(), true));
    let result = DataType::Struct(fields.collect());
    Ok(CallTypes { arguments: types, result })
}

fn named_struct_types(given: &[DataType], names: Option<Vec<String>>) -> Result<CallTypes> {
    if given.is_empty() || !given.len().is_multiple_of(2) {
        return plan_err!("named_struct takes names and values in turn, found {} arguments", given.len());
    }
    let value = |t: &DataType| if t.is_null() { DataType::Utf8View } else { normal(t) };
    let name = |i: usize| names.as_ref().map_or_else(|| format!("col{}", i + 1), |n| n[i].clone());
    let fields = given.iter().skip(1).step_by(2).enumerate().map(|(i, t)| Field::new(name(i), value(t), true));
    let result = DataType::Struct(fields.collect());
    let arguments = given.iter().enumerate();
    let arguments = arguments.map(|(i, t)| if i % 2 == 0 { DataType::Utf8View } else { value(t) }).collect();
    Ok(CallTypes { arguments, result })
}

fn named_struct_result(args: &ReturnFieldArgs) -> Result<DataType> {
    let given: Vec<DataType> = args.arg_fields.iter().map(|f| f.data_type().clone()).collect();
    let mut names = Vec::new();
    for name in args.scalar_arguments.iter().step_by(2) {
        match name.and_then(ScalarValue::try_as_str).flatten() {
            Some(name) => names.push(name.to_lowercase()),
            None => return plan_err!("named_struct takes constant names"),
        }
    }
    Ok(named_struct_types(&given, Some(names))?.result)
}

fn structure(arguments: &Arguments, first: usize, step: usize) -> Result<ArrayRef> {
    let DataType::Struct(fields) = &arguments.result else { return plan_err!("struct gives a struct") };
    let columns = (first..arguments.len()).step_by(step).map(|p| arguments.full(p)).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, None, arguments.rows)?))
}

/// What `count(DISTINCT a, b)` counts: a struct of all, NULL where one of them is.
fn distinct_key(arguments: &Arguments) -> Result<ArrayRef> {
    let whole = structure(arguments, 0, 1)?;
    let mut nulls = None;
    for column in whole.as_struct().columns() {
        nulls = arrow::buffer::NullBuffer::union(nulls.as_ref(), column.logical_nulls().as_ref());
    }
    let (fields, columns, _) = whole.as_struct().clone().into_parts();
    Ok(Arc::new(StructArray::try_new_with_length(fields, columns, nulls, arguments.rows)?))
}

fn index_types(given: &[DataType]) -> Result<CallTypes> {
    check_count("[]", given, 2, 2)?;
    match &given[0] {
        DataType::List(item) => {
            Ok(CallTypes { arguments: vec![given[0].clone(), DataType::Int32], result: item.data_type().clone() })
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => Ok(CallTypes {
                arguments: vec![given[0].clone(), fields[0].data_type().clone()],
                result: fields[1].data_type().clone(),
            }),
            _ => plan_err!("a map has entries"),
        },
        other => plan_err!("[] takes an array or a map, found {}", type_name(other)),
    }
}

fn index(arguments: &Arguments) -> Result<ArrayRef> {
    let source = arguments.array(0);
    if let Some(maps) = source.as_map_opt() {
        let keys = arguments.array(1);
        let comparator = make_comparator(maps.keys(), keys, SortOptions::default())?;
        let offsets = maps.value_offsets();
        let indices = (0..arguments.rows).map(|row| {
            let (at, key) = (arguments.row(0, row), arguments.row(1, row));
            if maps.is_null(at) || keys.is_null(key) {
                return None;
            }
            (offsets[at]..offsets[at + 1]).find(|i| comparator(*i as usize, key).is_eq())
        });
        let indices: arrow::array::Int32Array = indices.collect();
        return Ok(take(maps.values(), &indices, None)?);
    }
    let lists = source.as_list::<i32>();
    let positions = arguments.ints(1)?;
    let offsets = lists.value_offsets();
    let indices = (0..arguments.rows).map(|row| {
        let (at, position) = (arguments.row(0, row), positions.get(row)?);
        let (start, end) = (offsets[at], offsets[at + 1]);
        (!lists.is_null(at) && position >= 0 && position < end - start).then(|| start + position)
    });
    let indices: arrow::array::Int32Array = indices.collect();
    Ok(take(lists.values(), &indices, None)?)
}

fn size_types(given: &[DataType]) -> Result<CallTypes> {
    check_count("size", given, 1, 1)?;
    match &given[0] {
        DataType::List(_) | DataType::Map(..) | DataType::Null => {
            Ok(CallTypes { arguments: given.to_vec(), result: DataType::Int32 })
        }
        other => plan_err!("size takes an array or a map, found {}", type_name(other)),
    }
}

fn size(arguments: &Arguments) -> Result<ArrayRef> {
    let source = arguments.array(0);
    arguments.to_ints(|row| {
        let at = arguments.row(0, row);
        if source.data_type().is_null() || source.is_null(at) {
            return Some(-1);
        }
        match source.as_map_opt() {
            Some(maps) => Some(maps.value_length(at)),
            None => source.as_list_opt::<i32>().map(|lists| lists.value_length(at)),
        }
    })
}

fn list_types(name: &str, given: &[DataType], n: usize) -> Result<CallTypes> {
    check_count(name, given, n, n)?;
    match &given[0] {
        DataType::List(_) => Ok(CallTypes { arguments: given.to_vec(), result: given[0].clone() }),
        other => plan_err!("{name} takes an array, found {}", type_name(other)),
    }
}

fn contains_types(given: &[DataType]) -> Result<CallTypes> {
    let mut types = list_types("array_contains", given, 2)?;
    if let DataType::List(item) = &given[0] {
        types.arguments[1] = item.data_type().clone();
    }
    types.result = DataType::Boolean;
    Ok(types)
}

/// NULL is in no array, and in a NULL array there is nothing.
fn array_contains(arguments: &Arguments) -> Result<ArrayRef> {
    let (lists, wanted) = (arguments.array(0), arguments.array(1));
    let comparator = make_comparator(lists.as_list::<i32>().values(), wanted, SortOptions::default())?;
    arguments.to_booleans(|row| {
        let at = arguments.row(1, row);
        let Some((values, mut range)) = list_range(lists, arguments.row(0, row)) else { return Some(false) };
        Some(!wanted.is_null(at) && range.any(|i| !values.is_null(i) && comparator(i, at).is_eq()))
    })
}

fn sort_array(arguments: &Arguments) -> Result<ArrayRef> {
    let lists = arguments.array(0).as_list::<i32>();
    let DataType::List(item) = lists.data_type() else { return plan_err!("sort_array takes an array") };
    let mut sorted = Vec::with_capacity(lists.len());
    for row in 0..lists.len() {
        sorted.push(sort(&lists.value(row), Some(SortOptions { descending: false, nulls_first: true }))?);
    }
    let offsets = OffsetBuffer::from_lengths(sorted.iter().map(|s| s.len()));
    let values = if sorted.is_empty() {
        new_null_array(item.data_type(), 0)
    } else {
        arrow::compute::concat(&sorted.iter().map(AsRef::as_ref).collect::<Vec<_>>())?
    };
    let sorted: ArrayRef = Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, lists.nulls().cloned())?);
    Ok(sorted)
}

fn entry_types(name: &str, given: &[DataType], which: usize) -> Result<CallTypes> {
    check_count(name, given, 1, 1)?;
    if let DataType::Map(entries, _) = &given[0]
        && let DataType::Struct(fields) = entries.data_type()
    {
        return Ok(CallTypes { arguments: given.to_vec(), result: list_of(fields[which].data_type().clone()) });
    }
    plan_err!("{name} takes a map, found {}", type_name(&given[0]))
}

fn entries(arguments: &Arguments, which: usize) -> Result<ArrayRef> {
    let maps = arguments.array(0).as_map();
    let DataType::List(item) = &arguments.result else { return plan_err!("an array of a map's entries") };
    let values = Arc::clone(maps.entries().column(which));
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), maps.offsets().clone(), values, maps.nulls().cloned())?))
}

fn str_to_map_types(given: &[DataType]) -> Result<CallTypes> {
    check_count("str_to_map", given, 1, 3)?;
    let result = map_of(DataType::Utf8View, DataType::Utf8View);
    super::builtin::fixed_types("str_to_map", &[Kind::String, Kind::String, Kind::String], 2, result, given)
}

/// Both delimiters are regular expressions; NULL text is an empty map. Of equal keys the last counts.
fn str_to_map(arguments: &Arguments) -> Result<ArrayRef> {
    let texts = arguments.strings(0)?;
    let delimiter = |position: usize, row: usize, default: &'static str| -> Result<_> {
        if position >= arguments.len() {
            return compile(default);
        }
        compile(arguments.strings(position)?.get(row).unwrap_or(default))
    };
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let mut maps = MapBuilder::new(Some(names), StringViewBuilder::new(), StringViewBuilder::new());
    for row in 0..arguments.rows {
        let mut pairs: Vec<(&str, Option<&str>)> = Vec::new();
        if let Some(text) = texts.get(row) {
            let (between_pairs, between_parts) = (delimiter(1, row, ",")?, delimiter(2, row, ":")?);
            let mut pieces = Vec::new();
            between_pairs.split(text, |piece| pieces.push(piece))?;
            while pieces.len() > 1 && pieces.last().is_some_and(|p| p.is_empty()) {
                pieces.pop();
            }
            for piece in pieces {
                let (key, value) = match between_parts.find(piece, 0)? {
                    Some((start, end)) if end > 0 => (&piece[..start], Some(&piece[end..])),
                    _ => (piece, None),
                };
                match pairs.iter_mut().find(|(k, _)| *k == key) {
                    Some(pair) => pair.1 = value,
                    None => pairs.push((key, value)),
                }
            }
        }
        for (key, value) in pairs {
            maps.keys().append_value(key);
            maps.values().append_option(value);
        }
        maps.append(true)?;
    }
    let maps: ArrayRef = Arc::new(maps.finish());
    cast_array(&maps, &arguments.result)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, check_error, query};

    #[test]
    fn making() {
        check("array(1, 2, NULL)", "[1,2,null]");
        check("array('a', 1)", "[\"a\",\"1\"]");
        check("map('a', 1, 'b', 2)", "{\"a\":1,\"b\":2}");
        check("map('a', 1, 'a', 2)", "{\"a\":2}");
        check("struct(1, 'x')", "{\"col1\":1,\"col2\":\"x\"}");
        check("named_struct('A', 1, 'b', 'x')", "{\"a\":1,\"b\":\"x\"}");
        check("str_to_map('a:1,b:2,c')", "{\"a\":\"1\",\"b\":\"2\",\"c\":null}");
        check("str_to_map('a=1&b=2', '&', '=')['b']", "2");
        check_error("map('a')", "map takes keys and values in turn");
    }

    #[test]
    fn looking() {
        check("array(10, 20)[0]", "10");
        check("array(10, 20)[2]", "NULL");
        check("array(10, 20)[-1]", "NULL");
        check("map('a', 1)['a']", "1");
        check("map('a', 1)['x']", "NULL");
        check("size(array(1, 2))", "2");
        check("size(map('a', 1))", "1");
        check("size(NULL)", "-1");
        check("array_contains(array(1, 2), 2)", "true");
        check("array_contains(array(1, 2), 3)", "false");
        check("sort_array(array('b', 'd', 'c', 'a'))", "[\"a\",\"b\",\"c\",\"d\"]");
        check("map_keys(map('a', 1, 'b', 2))", "[\"a\",\"b\"]");
        check("map_values(map('a', 1, 'b', 2))", "[1,2]");
        let rows =
            query("SELECT s.b FROM (SELECT named_struct('a', 1, 'b', column1) AS s FROM (VALUES (7))) t").unwrap();
        assert_eq!(rows, [[Some("7".to_owned())]]);
    }
}
