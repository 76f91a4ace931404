//! What is written for every type, plain and nested.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Float64Array,
    Int32Array, Int64Array, ListArray, MapBuilder, NullArray, StringArray, StringBuilder, StructArray,
    TimestampMicrosecondArray, TimestampNanosecondArray, UInt64Array,
};
use arrow::datatypes::{Field, Int32Type, Schema};

use super::*;
use crate::hive_type;
use crate::serdes::directory_serde;

#[track_caller]
fn check(pairs: &[(&str, &str)], columns: Vec<ArrayRef>, expect: &str) {
    let names = ["a", "b", "c", "d", "e"];
    let batch = RecordBatch::try_from_iter(names.into_iter().zip(columns)).unwrap();
    let properties = pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
    let mut out = Vec::new();
    let serde = directory_serde(&properties, &batch.schema()).unwrap();
    serde.serializer().unwrap().serialize(&batch, &mut out).unwrap();
    let readable = String::from_utf8(out).unwrap().replace('\x01', "^A").replace('\x02', "^B").replace('\x03', "^C");
    assert_eq!(readable, expect);
}

fn strings(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[test]
fn by_default_fields_end_at_control_a_and_nothing_is_escaped() {
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
    check(&[], vec![numbers, strings(&[Some("x\\y\tz"), Some("")])], "1^Ax\\y\tz\n\\N^A\n");
}

#[test]
fn delimited_escaped_and_null_defined_as() {
    let pairs = [("field.delim", ","), ("escape.delim", "\\"), ("serialization.null.format", "NULL")];
    check(
        &pairs,
        vec![strings(&[Some("a,b\\c"), None]), strings(&[Some("x\ny"), Some("")])],
        "a\\,b\\\\c,x\ny\nNULL,\n",
    );
}

#[test]
fn whole_numbers_and_views() {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), Some(0), Some(-7), None]));
    let texts: ArrayRef =
        Arc::new(StringViewArray::from(vec![Some("a"), None, Some(""), Some("longer than twelve bytes"), Some("e")]));
    let expect = "-9223372036854775808,a\n9223372036854775807,\\N\n0,\n-7,longer than twelve bytes\n\\N,e\n";
    check(&[("field.delim", ",")], vec![numbers, texts], expect);
}

#[test]
fn primitives() {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(BooleanArray::from(vec![true])),
        Arc::new(Float64Array::from(vec![1e7])),
        Arc::new(Float32Array::from(vec![0.1])),
        Arc::new(Decimal128Array::from(vec![-150]).with_precision_and_scale(5, 2).unwrap()),
        Arc::new(Date32Array::from(vec![-1])),
    ];
    check(&[], columns, "true^A1.0E7^A0.1^A-1.50^A1969-12-31\n");
    let columns: Vec<ArrayRef> = vec![
        Arc::new(TimestampNanosecondArray::from(vec![1_404_590_400_000_000_000])),
        Arc::new(TimestampMicrosecondArray::from(vec![-1])),
        Arc::new(BinaryArray::from(vec![b"hi".as_slice()])),
        Arc::new(UInt64Array::from(vec![u64::MAX])),
        Arc::new(NullArray::new(1)),
    ];
    check(&[], columns, "2014-07-05 20:00:00^A1969-12-31 23:59:59.999999^AaGk=^A18446744073709551615^A\\N\n");
    let dictionary: DictionaryArray<Int32Type> = vec![Some("a"), None, Some("a")].into_iter().collect();
    check(&[], vec![Arc::new(dictionary)], "a\n\\N\na\n");
}

#[test]
fn nested_values_take_a_separator_a_level() {
    let inner = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), Some(vec![]), None]);
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for pairs in [Some(vec![("k", Some("v")), ("l", None)]), Some(vec![]), None] {
        for (key, value) in pairs.iter().flatten() {
            map.keys().append_value(key);
            map.values().append_option(*value);
        }
        map.append(pairs.is_some()).unwrap();
    }
    let list_field = Field::new("items", inner.data_type().clone(), true);
    let row = StructArray::from(vec![
        (Arc::new(Field::new("n", DataType::Int64, true)), Arc::new(Int64Array::from(vec![7, 8, 9])) as ArrayRef),
        (Arc::new(list_field), Arc::new(inner.clone()) as ArrayRef),
    ]);
    let columns: Vec<ArrayRef> = vec![Arc::new(inner), Arc::new(map.finish()), Arc::new(row)];
    check(&[], columns, "1^B\\N^Ak^Cv^Bl^C\\N^A7^B1^C\\N\n^A^A8^B\n\\N^A\\N^A9^B\\N\n");
}

#[test]
fn char_is_padded() {
    let metadata = [(hive_type::HIVE_TYPE.to_owned(), "char(4)".to_owned())].into();
    let schema = Schema::new(vec![Field::new("a", DataType::Utf8, true).with_metadata(metadata)]);
    let batch = RecordBatch::try_new(Arc::new(schema), vec![strings(&[Some("äb")])]).unwrap();
    let mut out = Vec::new();
    let serde = directory_serde(&Default::default(), &batch.schema()).unwrap();
    serde.serializer().unwrap().serialize(&batch, &mut out).unwrap();
    assert_eq!(out, "äb  \n".as_bytes());
}

#[test]
fn too_deep_is_refused() {
    let mut field = Field::new("item", DataType::Int32, true);
    for _ in 0..8 {
        field = Field::new("item", DataType::List(Arc::new(field)), true);
    }
    let schema = Arc::new(Schema::new(vec![field]));
    let serde = directory_serde(&Default::default(), &schema).unwrap();
    assert_eq!(serde.serializer().err().unwrap().code(), codes::UNSUPPORTED_TYPE);
}
