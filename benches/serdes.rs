//! SerDes: records → Arrow, for the columns that a query asks for.
//!
//! We claim that a SerDe makes only what is asked for: `delimited/3_of_33` taking more than half of `delimited/33_of_33`
//! disproves it, and so does `regex_tier_1/os` being no faster than `regex_tier_1/13_of_13`. That a filter saves the
//! building of what it drops is disproved by `delimited/33_of_33_where_1_percent` taking more than half of
//! `delimited/33_of_33`, and that trying one costs no more than a third where it drops nothing, although the record is
//! searched twice, by `delimited/3_of_33_where_all` taking half more than `delimited/3_of_33`. A date is as cheap as a text
//! (`delimited/date` against `delimited/time`), since it is that of the line before, and so is a number
//! (`delimited/number`).
//!
//! The same patterns run in each tier of RegexSerDe, kept from the better ones by a part that changes no answer. We claim
//! that tier 1 reads the tutorial's lines at 500 MB/s or more and 20 times as fast as tier 2: less of either in
//! `regex_tier_1/os` against `regex_tier_2/os` disproves it. Tier 3 coming out no slower than tier 2 would mean that the
//! linear engine is not worth its rules.
//!
//! `published_tier_1` and `published_tier_2` are the patterns of other formats, each over those lines of its format that it
//! matches, and two columns are built of each line, which costs 30 ns in either tier. We claim that tier 1 is 15 times as
//! fast with them, and 20 times without (docs/performance.md has the matcher alone). Two are slower: a pattern that has an
//! address digit by digit, 11 times, and Hive's own test, 4.5 times. That has one way to go at each character, so that the
//! linear engine needs 0.4 µs a line where others take 1.5 µs and more. Two thirds of either disproves it.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use bytes::Bytes;
use criterion::{Criterion, Throughput};
use logq_engine::config::SerdeConfig;
use logq_engine::error::Result;
use logq_engine::input::{RecordBlock, RecordRange};
use logq_engine::serdes::{LAZY_SIMPLE_SERDE, REGEX_SERDE, RowFilter, TableSerde, plan_serde};

use crate::generate::{self, STANDARD_COLUMNS};

const TUTORIAL_COLUMNS: &str = "dateobject date, time string, location string, bytes int, requestip string, \
    method string, host string, uri string, status int, referrer string, os string, browser string, version string";
const TUTORIAL_PATTERN: &str = r"^(?!#)([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+[^(]+[(]([^;]+).*\%20([^/]+)[/](.*)$";

/// The pattern of Hive's own test serde_regex.q.
#[path = "../engine/src/serdes/regex/field_program/tests/known_patterns.rs"]
mod known_patterns;

const APACHE_COLUMNS: &str = "host string, identity string, user string, time string, request string, status string, \
    size string, referer string, agent string";
const APACHE_PATTERN: &str = r#"([^ ]*) ([^ ]*) ([^ ]*) (-|\[[^\]]*\]) ([^ "]*|"[^"]*") (-|[0-9]*) (-|[0-9]*)(?: ([^ "]*|"[^"]*") ([^ "]*|"[^"]*"))?"#;

/// Rows that a scan hands over at a time.
const BATCH_ROWS: usize = 8192;

pub fn benches(criterion: &mut Criterion) {
    let standard = block(generate::standard(generate::rows()));
    let delimited =
        plan(LAZY_SIMPLE_SERDE, &[("field.delim", "\t"), ("serialization.null.format", "-")], STANDARD_COLUMNS);
    let all: Vec<usize> = (0..33).collect();
    bench(criterion, "delimited/date", delimited.as_ref(), &[0], &[], &standard);
    bench(criterion, "delimited/time", delimited.as_ref(), &[1], &[], &standard);
    bench(criterion, "delimited/number", delimited.as_ref(), &[3], &[], &standard);
    bench(criterion, "delimited/3_of_33", delimited.as_ref(), &[3, 7, 8], &[], &standard);
    bench(criterion, "delimited/3_of_33_where_all", delimited.as_ref(), &[3, 7, 8], &[every_nth_size(1)], &standard);
    bench(criterion, "delimited/33_of_33", delimited.as_ref(), &all, &[], &standard);
    bench(criterion, "delimited/33_of_33_where_1_percent", delimited.as_ref(), &all, &[every_nth_size(100)], &standard);

    let tutorial = block(generate::tutorial(generate::rows()));
    let all: Vec<usize> = (0..13).collect();
    for tier in [1, 2, 3] {
        // Of what a tier takes long for, a part: one line takes as long as many.
        let part = first_records(&tutorial, [1, 4, 10][tier - 1]);
        let serde = plan_tier(tier, TUTORIAL_PATTERN, TUTORIAL_COLUMNS);
        bench(criterion, &format!("regex_tier_{tier}/os"), serde.as_ref(), &[0, 10], &[], &part);
        if tier < 3 {
            bench(criterion, &format!("regex_tier_{tier}/13_of_13"), serde.as_ref(), &all, &[], &part);
        }
    }

    let apache = block(generate::apache(generate::rows()));
    for tier in [1, 2, 3] {
        let serde = plan_tier(tier, APACHE_PATTERN, APACHE_COLUMNS);
        bench(criterion, &format!("regex_tier_{tier}/apache"), serde.as_ref(), &[0, 5], &[], &apache);
    }

    for known in known_patterns::KNOWN_PATTERNS {
        // Where `$` stands in the middle, what keeps a pattern from tier 1 keeps it from tier 2, too.
        let tiers = if known.pattern.contains("$|") { 1..=1 } else { 1..=2 };
        for tier in tiers {
            let serde = plan_tier(tier, known.pattern, PUBLISHED_COLUMNS);
            let lines: Vec<&str> = known.lines.iter().copied().filter(|line| matches(serde.as_ref(), line)).collect();
            let block = block(generate::picked(&lines, generate::rows()));
            let name = format!("published_tier_{tier}/{}", known.name.replace(", ", "_").replace(' ', "_"));
            bench(criterion, &name, serde.as_ref(), &[0, 5], &[], &block);
        }
    }
}

/// Some of the columns of any published format.
const PUBLISHED_COLUMNS: &str = "c0 string, c1 string, c2 string, c3 string, c4 string, c5 string";

fn matches(serde: &dyn TableSerde, line: &str) -> bool {
    let mut deserializer = serde.deserializer(&[0], &[]).expect("it can read");
    deserializer.deserialize(&block(format!("{line}\n").into_bytes()), 0..1).expect("bad records are no errors");
    deserializer.take_bad_records().malformed == 0
}

/// The table, with a part in its pattern that no better tier can run and that changes no answer.
fn plan_tier(tier: usize, pattern: &str, columns: &str) -> Arc<dyn TableSerde> {
    let pattern = match tier {
        1 => pattern.to_owned(),
        2 => format!("{}(?:a|b){{0}}", pattern.strip_suffix("$").unwrap_or(pattern)),
        _ => pattern.replacen("([^ ]", "(?=.)([^ ]", 2),
    };
    let serde = plan(REGEX_SERDE, &[("input.regex", &pattern)], columns);
    assert!(serde.describe().contains(&format!("tier {tier} ")), "{}", serde.describe());
    serde
}

fn first_records(block: &RecordBlock, divisor: usize) -> RecordBlock {
    RecordBlock { records: block.records[..block.records.len() / divisor].to_vec(), ..block.clone() }
}

/// Keeps the rows whose `sc_bytes` is a multiple of a number.
#[derive(Debug)]
struct MultipleSizes(i64);

impl RowFilter for MultipleSizes {
    fn columns(&self) -> &[usize] {
        &[3]
    }

    fn keep(&self, rows: &RecordBatch) -> Result<BooleanArray> {
        let sizes = rows.column(0).as_primitive::<Int64Type>();
        Ok(sizes.iter().map(|size| size.map(|size| size % self.0 == 0)).collect())
    }
}

/// Sizes are random, so this keeps one row of `n`.
fn every_nth_size(n: i64) -> Arc<dyn RowFilter> {
    Arc::new(MultipleSizes(n))
}

fn bench(
    criterion: &mut Criterion,
    name: &str,
    serde: &dyn TableSerde,
    projection: &[usize],
    filters: &[Arc<dyn RowFilter>],
    block: &RecordBlock,
) {
    let mut group = criterion.benchmark_group("serdes");
    if name.starts_with("published") {
        group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    }
    group.throughput(Throughput::Bytes(u64::from(block.records.last().map_or(0, |record| record.end))));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let mut deserializer = serde.deserializer(projection, filters).expect("it can read");
            for start in (0..block.records.len()).step_by(BATCH_ROWS) {
                let rows = start..block.records.len().min(start + BATCH_ROWS);
                black_box(deserializer.deserialize(block, rows).expect("bad records are no errors"));
            }
            assert_eq!(deserializer.take_bad_records().malformed, 0);
        });
    });
    group.finish();
}

fn plan(class: &str, properties: &[(&str, &str)], columns: &str) -> Arc<dyn TableSerde> {
    let properties: BTreeMap<_, _> =
        properties.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    plan_serde(class, &properties, &schema(columns), &SerdeConfig::default()).expect("a table of ours")
}

/// Arrow's columns for `name type, …`.
fn schema(columns: &str) -> SchemaRef {
    let field = |column: &str| {
        let (name, hive_type) = column.trim().split_once(' ').expect("a name and a type");
        let data_type = match hive_type {
            "string" => DataType::Utf8View,
            "date" => DataType::Date32,
            "int" => DataType::Int32,
            "bigint" => DataType::Int64,
            "double" => DataType::Float64,
            other => panic!("no column has type {other}"),
        };
        Field::new(name, data_type, true)
    };
    Arc::new(Schema::new(columns.split(',').map(field).collect::<Vec<_>>()))
}

/// All lines as one block.
fn block(text: Vec<u8>) -> RecordBlock {
    let mut start = 0;
    let record = |line: &[u8]| {
        let record = RecordRange { start, end: start + line.len() as u32 - 1 };
        start += line.len() as u32;
        record
    };
    let records = text.split_inclusive(|byte| *byte == b'\n').map(record).collect();
    RecordBlock { data: Bytes::from(text), records, byte_offset: 0 }
}
