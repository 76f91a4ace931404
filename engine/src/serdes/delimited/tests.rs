//! Every feature once, read as a whole block, record by record, in halves, and under every projection.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use proptest::prelude::*;

use super::*;
use crate::hive_type;
use crate::serdes::test_rows::{assert_every_path, block, render};
use crate::serdes::{CellFormatter, LAZY_SIMPLE_SERDE, plan_serde};

fn properties(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn schema(types: &[DataType]) -> SchemaRef {
    let field =
        |(column_idx, data_type): (usize, &DataType)| Field::new(format!("c{column_idx}"), data_type.clone(), true);
    Arc::new(Schema::new(types.iter().enumerate().map(field).collect::<Vec<_>>()))
}

fn strings(n_columns: usize) -> SchemaRef {
    schema(&vec![DataType::Utf8View; n_columns])
}

#[track_caller]
fn check(pairs: &[(&str, &str)], schema: &SchemaRef, data: &[u8], expect: &[&str]) -> BadRecords {
    let serde = plan_serde(LAZY_SIMPLE_SERDE, &properties(pairs), schema, &SerdeConfig::default()).unwrap();
    assert_every_path(serde.as_ref(), schema.fields().len(), &block(data), expect)
}

#[test]
fn missing_fields_are_null_and_extra_ones_dropped() {
    check(
        &[],
        &strings(3),
        b"a\x01b\x01c\na\nx\x01y\x01z\x01more\n\n\x01\x01",
        &["a|b|c", "a|NULL|NULL", "x|y|z", "|NULL|NULL", "||"],
    );
}

#[test]
fn separators_are_bytes_and_numbers_of_bytes() {
    for (value, separator) in
        [("9", '\t'), ("\t", '\t'), ("44", ','), (",", ','), (",;", ','), ("200", '2'), ("", '\x01')]
    {
        let data = format!("a{separator}b");
        check(&[("field.delim", value), ("serialization.format", "5")], &strings(2), data.as_bytes(), &["a|b"]);
    }
    check(&[("serialization.format", "1")], &strings(2), b"a\x01b", &["a|b"]);
    let serde =
        plan_serde(LAZY_SIMPLE_SERDE, &properties(&[("field.delim", "||")]), &strings(1), &SerdeConfig::default());
    assert_eq!(serde.unwrap().warnings(), ["only the first character of field.delim `||` is used, as in Hive"]);
}

#[test]
fn the_last_column_may_take_the_rest() {
    let pairs = [("field.delim", " "), ("serialization.last.column.takes.rest", "true")];
    check(&pairs, &strings(2), b"a b c d\na\na \n", &["a|b c d", "a|NULL", "a|"]);
}

#[test]
fn null_format() {
    check(&[("field.delim", ",")], &strings(2), b"\\N,x\n,\n\\\\N,y", &["NULL|x", "|", "\\\\N|y"]);
    check(&[("field.delim", ","), ("serialization.null.format", "")], &strings(2), b",x\n", &["NULL|x"]);
    check(
        &[("field.delim", ","), ("serialization.null.format", "-")],
        &schema(&[DataType::Int32, DataType::Utf8View]),
        b"-,-\n1,--",
        &["NULL|NULL", "1|--"],
    );
}

#[test]
fn escapes() {
    let pairs = [("field.delim", ","), ("escape.delim", "\\")];
    check(
        &pairs,
        &strings(2),
        br"a\,b,c
\\,x\ny
\N,\r
a\",
        &["a,b|c", "\\|x\ny", "NULL|\r", "a\\|NULL"],
    );
    check(&pairs, &schema(&[DataType::Int32, DataType::Utf8View]), b"1\\,2,x", &["NULL|x"]);
}

#[test]
fn every_type() {
    let types = [
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::Float32,
        DataType::Float64,
        DataType::Decimal128(5, 2),
        DataType::Boolean,
        DataType::Date32,
        hive_type::timestamp(),
        DataType::Binary,
    ];
    let bad = check(
        &[("field.delim", ",")],
        &schema(&types),
        b"127,32767,2147483647,9223372036854775807,1.5,1e3,123.456,TRUE,2014-7-5,2014-07-05 20:00:00.50,aGk=\n\
          128,x,1.9,+7,NaN,Infinity, 1 ,false,2014-07-05 10:00:00,NULL,a b!\n\
          ,,,,,,,,,,\n\
          NULL,null,NULL,\\N,NULL,null,,yes,2014-02-x0,2014-07-05,\n",
        &[
            "127|32767|2147483647|9223372036854775807|1.5|1000.0|123.46|true|2014-07-05|2014-07-05 20:00:00.5|hi",
            "NULL|NULL|1|7|NaN|Infinity|1.00|false|2014-07-05|NULL|a b!",
            "NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|",
            "NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|",
        ],
    );
    assert_eq!(bad.failed_conversions, 5);
    let example = bad.first_failed_conversion.unwrap();
    assert_eq!(example.reason, "\"128\" is not a tinyint (column c0)");
    assert!(example.byte_offset > 1000 && example.record.starts_with("128,x,"));
}

#[test]
fn varchar_is_cut_and_char_loses_its_padding() {
    let field = |name: &str| {
        let metadata = [(hive_type::HIVE_TYPE.to_owned(), name.to_owned())].into();
        Field::new(name, DataType::Utf8View, true).with_metadata(metadata)
    };
    let schema: SchemaRef = Arc::new(Schema::new(vec![field("varchar(3)"), field("char(3)")]));
    let data = "äöüß,a  \nabc,ab  x\nab ,".as_bytes();
    check(&[("field.delim", ",")], &schema, data, &["äöü|a  ", "abc|ab ", "ab |   "]);
}

#[test]
fn wrong_bytes_become_replacement_characters() {
    let schema = schema(&[DataType::Utf8View, DataType::Int32]);
    let bad = check(
        &[("field.delim", ",")],
        &schema,
        b"a\xffb,1\nok,2\n\xc3,x\xfe\n",
        &["a\u{fffd}b|1", "ok|2", "\u{fffd}|NULL"],
    );
    assert_eq!((bad.invalid_utf8, bad.failed_conversions), (2, 1));
    assert_eq!(bad.first_invalid_utf8.unwrap().record, "a\u{fffd}b,1");

    let config = SerdeConfig { on_invalid_utf8: OnInvalidUtf8::Fail, ..SerdeConfig::default() };
    let serde = plan_serde(LAZY_SIMPLE_SERDE, &properties(&[]), &strings(1), &config).unwrap();
    let error = serde.deserializer(&[], &[]).unwrap().deserialize(&block(b"ok\n\xff"), 0..2).unwrap_err();
    assert_eq!(error.code(), codes::INVALID_UTF8);
}

#[test]
fn a_separator_beyond_ascii_may_cut_characters() {
    check(&[("field.delim", "-61")], &strings(2), "aäb".as_bytes(), &["a|\u{fffd}b"]);
}

#[test]
fn text_is_not_copied() {
    let serde = plan_serde(LAZY_SIMPLE_SERDE, &properties(&[]), &strings(1), &SerdeConfig::default()).unwrap();
    let block = block(b"a text of more than twelve bytes");
    let batch = serde.deserializer(&[0], &[]).unwrap().deserialize(&block, 0..1).unwrap();
    assert_eq!(batch.column(0).as_string_view().value(0).as_ptr(), block.record(0).as_ptr());
}

#[test]
fn what_cannot_be_read_is_refused() {
    let list = DataType::List(Arc::new(Field::new("item", DataType::Int32, true)));
    let config = SerdeConfig::default();
    let error = plan_serde(LAZY_SIMPLE_SERDE, &properties(&[]), &schema(&[list]), &config).unwrap_err();
    assert_eq!(error.code(), codes::UNSUPPORTED_TYPE);
    assert_eq!(error.message(), "column `c0` has type array<int>, which LazySimpleSerDe cannot read here yet");
    for (key, value) in [("line.delim", "|"), ("timestamp.formats", "millis"), ("serialization.encoding", "GBK")] {
        plan_serde(LAZY_SIMPLE_SERDE, &properties(&[(key, value)]), &strings(1), &config).unwrap_err();
    }
    let error = plan_serde("org.apache.hadoop.hive.serde2.OpenCSVSerde", &properties(&[]), &strings(1), &config);
    assert_eq!(error.unwrap_err().code(), codes::UNSUPPORTED_SERDE);
}

/// One record by the letter of `LazyStruct.parse`, byte by byte.
fn slow_fields(record: &[u8], separator: u8, escape: Option<u8>, n_columns: usize) -> Vec<Option<Vec<u8>>> {
    let mut fields = vec![Vec::new()];
    let mut bytes = record.iter().peekable();
    while let Some(&byte) = bytes.next() {
        let field = fields.last_mut().unwrap();
        if byte == separator {
            fields.push(Vec::new());
        } else if Some(byte) == escape && bytes.peek().is_some() {
            field.push(byte);
            field.extend(bytes.next());
        } else {
            field.push(byte);
        }
    }
    let unescaped = |field: Vec<u8>| {
        let mut text = Vec::new();
        let mut bytes = field.iter();
        while let Some(&byte) = bytes.next() {
            let escaped = if Some(byte) == escape { bytes.next() } else { None };
            text.push(match escaped {
                None => byte,
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(&byte) => byte,
            });
        }
        text
    };
    let mut fields: Vec<_> = fields.into_iter().map(|field| (field != b"\\N").then(|| unescaped(field))).collect();
    fields.resize(n_columns, None);
    fields
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_slow_way(
        lines in prop::collection::vec(r"[ab,\\Nn|é\r]{0,12}".prop_map(String::into_bytes), 1..6),
        wrong in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..2),
        escape in prop::option::of(Just(b'\\')),
        n_columns in 1_usize..5,
    ) {
        let mut lines = lines;
        for (line, byte) in wrong {
            let line = line.index(lines.len());
            let byte_idx = byte.index(lines[line].len() + 1);
            lines[line].insert(byte_idx, 0xff);
        }
        let mut pairs = vec![("field.delim", ",")];
        if escape.is_some() {
            pairs.push(("escape.delim", "\\"));
        }
        let expect: Vec<String> = lines.iter().map(|line| {
            let fields = slow_fields(line, b',', escape, n_columns);
            let texts: Vec<_> = fields.into_iter().map(|field| {
                field.map_or("NULL".to_owned(), |field| String::from_utf8_lossy(&field).into_owned())
            }).collect();
            texts.join("|")
        }).collect();
        let expect: Vec<&str> = expect.iter().map(String::as_str).collect();
        let mut data = lines.join(&b'\n');
        data.push(b'\n');
        check(&pairs, &strings(n_columns), &data, &expect);
    }
}

#[test]
fn what_is_written_reads_back() {
    let pairs = properties(&[("field.delim", ","), ("escape.delim", "\\"), ("serialization.escape.crlf", "true")]);
    let serde = plan_serde(LAZY_SIMPLE_SERDE, &pairs, &strings(2), &SerdeConfig::default()).unwrap();
    let column = StringArray::from(vec![Some("a,b"), None, Some(""), Some("x\\y\nz\r"), Some("\\N")]);
    let column: Arc<dyn Array> = Arc::new(column);
    let batch = RecordBatch::try_from_iter([("c0", Arc::clone(&column)), ("c1", column)]).unwrap();
    let mut text = Vec::new();
    serde.serializer().unwrap().serialize(&batch, &mut text).unwrap();
    let block = block(&text);
    let again = serde.deserializer(&[0, 1], &[]).unwrap().deserialize(&block, block.rows()).unwrap();
    assert_eq!(render(&batch, &CellFormatter::new("NULL")), render(&again, &CellFormatter::new("NULL")));
}
