//! Amazon's CloudFront tutorial, in the variants that people have.

use super::parse_all;
use crate::hiveql::{InsertTarget, RowFormat, Statement, TypeKind};

const REGEX: &str = r"^(?!#)([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+[^\(]+[\(]([^\;]+).*\%20([^\/]+)[\/](.*)$";

const UNESCAPED: &str = r"^(?!#)([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+([^ ]+)\s+[^(]+[(]([^;]+).*\%20([^/]+)[/](.*)$";

const COLUMNS: &str = "  DateObject Date,\n  Time STRING,\n  Location STRING,\n  Bytes INT,\n  RequestIP STRING,\n  \
                       Method STRING,\n  Host STRING,\n  Uri STRING,\n  Status INT,\n  Referrer STRING,\n  \
                       OS String,\n  Browser String, \n  BrowserVersion String\n";

const WHERE: &str = "WHERE dateobject BETWEEN '2014-07-05' AND '2014-08-05' ";

/// The script of 2019 to 2021.
fn script() -> String {
    format!(
        "-- Summary: This sample shows you how to analyze CloudFront logs stored in S3 using Hive\n\n\
         -- Create table using sample data in S3.  Note: you can replace this S3 path with your own.\n\
         CREATE EXTERNAL TABLE IF NOT EXISTS cloudfront_logs (\n{COLUMNS})\n\
         ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'\n\
         WITH SERDEPROPERTIES (\n  \"input.regex\" = \"{REGEX}\"\n) LOCATION '${{INPUT}}/cloudfront/data';\n\n\
         -- Total requests per operating system for a given time frame\n\
         INSERT OVERWRITE DIRECTORY '${{OUTPUT}}/os_requests/' \
         SELECT os, COUNT(*) count FROM cloudfront_logs {WHERE}GROUP BY os;\n"
    )
}

/// The script is SETs, the table with these columns, location and regex, and the query into this directory.
#[track_caller]
fn check(text: &str, columns: &[(&str, TypeKind)], regex: &str, location: &str, directory: &str) {
    let mut statements: Vec<Statement> =
        parse_all(text).unwrap_or_else(|error| panic!("{text}\n{error:?}")).into_iter().map(|p| p.statement).collect();
    statements.retain(|statement| !matches!(statement, Statement::Command(_)));
    let [Statement::CreateTable(table), Statement::Insert(insert)] = statements.as_slice() else {
        panic!("{statements:?}");
    };
    let got: Vec<_> = table
        .columns
        .iter()
        .map(|column| (column.name.value.as_str(), column.data_type.as_ref().unwrap().kind.clone()))
        .collect();
    assert_eq!(got, columns);
    let Some(RowFormat::Serde { class, properties }) = &table.row_format else { panic!("{table:?}") };
    assert_eq!(class.value, "org.apache.hadoop.hive.serde2.RegexSerDe");
    let [(key, value)] = properties.as_slice() else { panic!("{properties:?}") };
    assert_eq!((key.value.as_str(), value.value.as_str()), ("input.regex", regex));
    assert_eq!(table.location.as_ref().unwrap().value, location);
    assert!(table.external && table.if_not_exists);
    let InsertTarget::Directory { path, .. } = &insert.branches[0].target else { panic!("{insert:?}") };
    assert_eq!(path.value, directory);
}

fn columns(first: &'static str) -> Vec<(&'static str, TypeKind)> {
    let strings = |names: &[&'static str]| names.iter().map(|name| (*name, TypeKind::String)).collect::<Vec<_>>();
    let mut columns = vec![(first, TypeKind::Date)];
    columns.extend(strings(&["time", "location"]));
    columns.push(("bytes", TypeKind::Int));
    columns.extend(strings(&["requestip", "method", "host", "uri"]));
    columns.push(("status", TypeKind::Int));
    columns.extend(strings(&["referrer", "os", "browser", "browserversion"]));
    columns
}

fn check_usual(text: &str, first: &'static str) {
    check(text, &columns(first), UNESCAPED, "s3://in/cloudfront/data", "s3://out/os_requests/");
}

#[test]
fn reserved_words_as_columns() {
    let text = script().replace("DateObject Date", "Date Date").replace("dateobject", "date");
    check_usual(&text, "date");
}

#[test]
fn the_last_official_text() {
    check_usual(&script(), "dateobject");
}

#[test]
fn tabs_and_trailing_blanks() {
    let text = script().replace("\n  ", "\n\t").replace('\n', "  \n").replace("data';", "data/';");
    check(&text, &columns("dateobject"), UNESCAPED, "s3://in/cloudfront/data/", "s3://out/os_requests/");
}

#[test]
fn carriage_returns_and_no_alias() {
    let text = script().replace("DateObject Date", "DateLog DATE").replace("COUNT(*) count", "COUNT(*)");
    check_usual(&text.replace("dateobject", "datelog").replace('\n', "\r\n"), "datelog");
}

#[test]
fn athena_backticks() {
    let text = script().replace("DateObject Date", "`Date` DATE").replace("OS String", "os STRING");
    check_usual(&text.replace("dateobject", "`date`"), "date");
}

#[test]
fn every_column_quoted_after_a_set() {
    let quoted = script()
        .lines()
        .map(|line| match line.strip_prefix("  ").and_then(|line| line.split_once(' ')) {
            Some((name, rest)) if !name.starts_with('"') => format!("  `{name}` {rest}"),
            _ => line.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("\n");
    assert!(quoted.contains("`RequestIP` STRING"));
    check_usual(&format!("SET mapred.reduce.tasks = 1;\n{quoted}"), "dateobject");
}

#[test]
fn location_is_the_input_and_no_where() {
    let text = script().replace("${INPUT}/cloudfront/data", "${INPUT}").replace(WHERE, "");
    check(&text, &columns("dateobject"), UNESCAPED, "s3://in", "s3://out/os_requests/");
}

#[test]
fn a_fourteenth_column() {
    let text = script()
        .replace("BrowserVersion String\n", "BrowserVersion String,\n  StatusOutcome String\n")
        .replace(r"[\/](.*)$", r"[\/](.*)\\s+(success|error)$")
        .replace("${OUTPUT}/os_requests/", "${OUTPUT}");
    let mut columns = columns("dateobject");
    columns.push(("statusoutcome", TypeKind::String));
    let regex = UNESCAPED.replace("(.*)$", r"(.*)\s+(success|error)$");
    check(&text, &columns, &regex, "s3://in/cloudfront/data", "s3://out");
}

#[test]
fn date_time_column() {
    let text = script().replace("DateObject", "date_time").replace("dateobject", "date_time");
    check_usual(&text, "date_time");
}
