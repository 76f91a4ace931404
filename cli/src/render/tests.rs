//! Each format over the same few rows.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::array::{
    BooleanArray, Decimal128Array, Float64Array, Int32Array, Int64Array, ListArray, MapArray, MapBuilder,
    MapFieldNames, NullArray, StringArray, StringBuilder, StringViewArray, StructArray,
};
use arrow::datatypes::{Field, Int32Type};

use super::*;

fn layout(format: Format) -> Layout {
    Layout { format, header: format == Format::Table, null: None, width: None }
}

fn render(batches: &[RecordBatch], layout: &Layout) -> String {
    let mut writer = row_writer(&batches[0].schema(), layout);
    let mut out = Vec::new();
    writer.start(&mut out).unwrap();
    for batch in batches {
        writer.write(batch, &mut out).unwrap();
    }
    writer.finish(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn requests() -> RecordBatch {
    let os: ArrayRef = Arc::new(StringViewArray::from(vec![Some("iOS"), None, Some("a \"b\", c"), Some("")]));
    batch(vec![("os", os), ("requests", Arc::new(Int64Array::from(vec![Some(883), Some(7), None, Some(-1)])))])
}

/// The same rows in one batch, in two, and after an empty one must look the same.
#[track_caller]
fn check_layout(rows: &RecordBatch, layout: &Layout, expected: &str) {
    let n = rows.num_rows();
    for cuts in [vec![(0, n)], vec![(0, 1), (1, n - 1)], vec![(0, 0), (0, n)]] {
        let batches: Vec<_> = cuts.iter().map(|(offset, length)| rows.slice(*offset, *length)).collect();
        let text = render(&batches, layout);
        assert_eq!(text, expected, "\n{text}");
    }
}

#[track_caller]
fn check(rows: &RecordBatch, format: Format, expected: &str) {
    check_layout(rows, &layout(format), expected);
}

#[test]
fn tsv() {
    check(&requests(), Format::Tsv, "iOS\t883\nNULL\t7\na \"b\", c\tNULL\n\t-1\n");
    let layout = Layout { header: true, null: Some("\\N".into()), ..layout(Format::Tsv) };
    check_layout(&requests(), &layout, "os\trequests\niOS\t883\n\\N\t7\na \"b\", c\t\\N\n\t-1\n");
}

#[test]
fn csv() {
    check(&requests(), Format::Csv, "iOS,883\n,7\n\"a \"\"b\"\", c\",\n\"\",-1\n");
    let layout = Layout { header: true, null: Some("iOS".into()), ..layout(Format::Csv) };
    check_layout(&requests(), &layout, "os,requests\n\"iOS\",883\niOS,7\n\"a \"\"b\"\", c\",iOS\n,-1\n");
}

#[test]
fn json() {
    check(
        &requests(),
        Format::Jsonl,
        "{\"os\":\"iOS\",\"requests\":883}\n{\"os\":null,\"requests\":7}\n\
         {\"os\":\"a \\\"b\\\", c\",\"requests\":null}\n{\"os\":\"\",\"requests\":-1}\n",
    );
    let text = render(&[requests()], &layout(Format::Json));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value.as_array().map(Vec::len), Some(4));
    assert_eq!(render(&[requests().slice(0, 0)], &layout(Format::Json)), "[]\n");
}

#[test]
fn json_has_its_own_types() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None])]);
    let item = Field::new("x", DataType::Int32, true);
    let object = StructArray::from(vec![(Arc::new(item), Arc::new(Int32Array::from(vec![5])) as ArrayRef)]);
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let mut map = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    map.keys().append_value("k");
    map.values().append_null();
    map.append(true).unwrap();
    let map: MapArray = map.finish();
    let rows = batch(vec![
        ("list", Arc::new(list)),
        ("struct", Arc::new(object)),
        ("map", Arc::new(map)),
        ("yes", Arc::new(BooleanArray::from(vec![true]))),
        ("half", Arc::new(Float64Array::from(vec![0.5]))),
        ("nan", Arc::new(Float64Array::from(vec![f64::NAN]))),
        ("price", Arc::new(Decimal128Array::from(vec![1250]).with_precision_and_scale(10, 2).unwrap())),
        ("void", Arc::new(NullArray::new(1))),
        ("line\n", Arc::new(StringArray::from(vec!["\t\u{1b}"]))),
    ]);
    assert_eq!(
        render(&[rows], &layout(Format::Jsonl)),
        "{\"list\":[1,null],\"struct\":{\"x\":5},\"map\":{\"k\":null},\"yes\":true,\"half\":0.5,\"nan\":null,\
         \"price\":12.50,\"void\":null,\"line\\n\":\"\\t\\u001b\"}\n"
    );
}

#[test]
fn markdown() {
    check(
        &requests(),
        Format::Markdown,
        "| os | requests |\n| --- | ---: |\n| iOS | 883 |\n| NULL | 7 |\n| a \"b\", c | NULL |\n|  | -1 |\n",
    );
    let rows = batch(vec![("a|b", Arc::new(StringArray::from(vec!["x|y\r\n<b>\\"])))]);
    assert_eq!(render(&[rows], &layout(Format::Markdown)), "| a\\|b |\n| --- |\n| x\\|y<br>&lt;b>\\\\ |\n");
}

#[test]
fn vertical() {
    check(
        &requests().slice(0, 2),
        Format::Vertical,
        "*** row 1 ***\n      os: iOS\nrequests: 883\n*** row 2 ***\n      os: NULL\nrequests: 7\n",
    );
}

#[test]
fn table() {
    check(
        &requests(),
        Format::Table,
        "\
┌──────────┬──────────┐
│ os       ┆ requests │
╞══════════╪══════════╡
│ iOS      ┆      883 │
│ NULL     ┆        7 │
│ a \"b\", c ┆     NULL │
│          ┆       -1 │
└──────────┴──────────┘
",
    );
    assert_eq!(render(&[requests().slice(0, 0)], &layout(Format::Table)).lines().count(), 4);
    let bare = Layout { header: false, ..layout(Format::Table) };
    check_layout(&requests().slice(0, 1).project(&[1]).unwrap(), &bare, "┌─────┐\n│ 883 │\n└─────┘\n");
}

#[test]
fn a_long_table_keeps_its_widths_and_loses_nothing() {
    let words = (0..2500).map(|i| if i == 2400 { "a-long-value-that-wraps".to_owned() } else { format!("v{i}") });
    let rows = batch(vec![("word", Arc::new(StringArray::from_iter_values(words)))]);
    let text = render(&[rows], &layout(Format::Table));
    let width = text.lines().next().unwrap().chars().count();
    assert!(text.lines().all(|line| line.chars().count() == width));
    assert_eq!(text.matches('┌').count() + text.matches('└').count() + text.matches('╞').count(), 3);
    let inside: String = text.chars().filter(|c| c.is_ascii_graphic()).collect();
    assert!(inside.contains("v2399a-long-value-that-wrapsv2401"), "{text}");
    assert!(inside.ends_with("v2499"));
}

#[test]
fn a_wide_table_fits_the_terminal() {
    let words = "a user agent with many words ".repeat(5);
    let rows = batch(vec![("agent", Arc::new(StringArray::from(vec![words])))]);
    let text = render(&[rows], &Layout { width: Some(40), ..layout(Format::Table) });
    assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
}

#[test]
fn log_lines_do_not_steer_the_terminal() {
    let rows = batch(vec![("agent", Arc::new(StringArray::from(vec!["a\x1b[2J\nb"])))]);
    for format in [Format::Table, Format::Vertical] {
        let text = render(std::slice::from_ref(&rows), &layout(format));
        assert!(text.contains("a\\u{1b}[2J\\nb"), "{text}");
    }
}

#[test]
fn lines_are_printed_as_they_are() {
    let rows = batch(vec![("Explain", Arc::new(StringArray::from(vec!["STAGES:", "  Stage-1"])))]);
    let mut writer = line_writer(&rows.schema());
    let mut out = Vec::new();
    writer.start(&mut out).unwrap();
    writer.write(&rows, &mut out).unwrap();
    writer.finish(&mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "STAGES:\n  Stage-1\n");
}

#[test]
fn names_of_columns() {
    let field = |name: &str, table: Option<&str>| {
        let metadata = table.map(|table| ("logq.table_alias".to_owned(), table.to_owned())).into_iter().collect();
        Field::new(name, DataType::Int32, true).with_metadata(metadata)
    };
    let columns = vec![field("id", Some("e")), field("id", Some("d")), field("title", Some("d")), field("_c3", None)];
    let schema: SchemaRef = Arc::new(Schema::new(columns));
    let names = |format, unique_names| -> Vec<String> {
        named_columns(&schema, format, unique_names).fields().iter().map(|field| field.name().clone()).collect()
    };
    assert_eq!(names(Format::Tsv, true), ["e.id", "d.id", "d.title", "_c3"]);
    assert_eq!(names(Format::Table, false), ["id", "id", "title", "_c3"]);
    assert_eq!(names(Format::Jsonl, true), ["e.id", "d.id", "title", "_c3"]);
}
