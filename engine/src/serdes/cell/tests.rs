//! Cells, plain and as JSON.

use std::sync::Arc;

use arrow::array::{
    BinaryArray, Date32Array, Decimal256Array, Float64Array, Int32Array, IntervalMonthDayNanoArray,
    IntervalYearMonthArray, ListArray, MapArray, StringViewArray, StructArray, TimestampSecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{IntervalMonthDayNanoType, i256};

use super::*;

#[track_caller]
fn check(column: &dyn Array, expect: &[&str]) {
    let field = Field::new("c", column.data_type().clone(), true);
    let formatter = CellFormatter::new("NULL");
    let cells: Vec<_> = (0..column.len()).map(|row_idx| formatter.text(&field, column, row_idx).unwrap()).collect();
    assert_eq!(cells, expect);
}

fn list(items: ArrayRef) -> ListArray {
    let field = Arc::new(Field::new("item", items.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths([items.len()]);
    ListArray::new(field, offsets, items, None)
}

#[test]
fn plain_cells() {
    check(&StringViewArray::from(vec![Some("a\"b"), None]), &["a\"b", "NULL"]);
    check(&Float64Array::from(vec![0.5, f64::NAN]), &["0.5", "NaN"]);
    check(&BinaryArray::from(vec![b"a\xff".as_slice()]), &["a\u{fffd}"]);
    check(&TimestampSecondArray::from(vec![0]), &["1970-01-01 00:00:00"]);
    check(&TimestampSecondArray::from(vec![0]).with_timezone("UTC"), &["1970-01-01 00:00:00 UTC"]);
    check(&Date32Array::from(vec![i32::MAX]), &["2147483647"]);
    let decimals = Decimal256Array::from(vec![i256::from(5), i256::from(-12345)]);
    check(&decimals.with_precision_and_scale(40, 3).unwrap(), &["0.005", "-12.345"]);
    check(&IntervalYearMonthArray::from(vec![14, -1]), &["1-2", "-0-1"]);
    let intervals = [(0, 1, 7_384_000_000_005), (2, 0, 0), (0, 0, 0)];
    let intervals = intervals.map(|(months, days, nanos)| IntervalMonthDayNanoType::make_value(months, days, nanos));
    check(&IntervalMonthDayNanoArray::from(intervals.to_vec()), &["1 02:03:04.000000005", "0-2", "0-0"]);
}

#[test]
fn nested_cells_are_json() {
    check(
        &list(Arc::new(StringViewArray::from(vec![Some("a"), None, Some("q\"\\\n\x01")]))),
        &[r#"["a",null,"q\"\\\n\u0001"]"#],
    );
    check(&list(Arc::new(Date32Array::from(vec![0]))), &[r#"["1970-01-01"]"#]);
    let keys: ArrayRef = Arc::new(StringViewArray::from(vec!["k", "l"]));
    let values: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
    let entries = StructArray::from(vec![
        (Arc::new(Field::new("key", DataType::Utf8View, false)), keys),
        (Arc::new(Field::new("value", DataType::Int32, true)), values),
    ]);
    check(&entries, &[r#"{"key":"k","value":1}"#, r#"{"key":"l","value":null}"#]);
    let entries_field = Arc::new(Field::new("entries", entries.data_type().clone(), false));
    let map = MapArray::new(entries_field, OffsetBuffer::from_lengths([2, 0]), entries, None, false);
    check(&map, &[r#"{"k":1,"l":null}"#, "{}"]);
}
