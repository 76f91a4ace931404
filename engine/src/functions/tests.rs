//! One line a case: an expression, and what Hive answers.
#![expect(
    clippy::disallowed_methods,
    reason = "the cases run on DataFusion's own executor, without the engine's bridge"
)]

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::execution::{FunctionRegistry, SessionStateBuilder};
use datafusion::logical_expr::{Expr, ExprSchemable};
use datafusion::prelude::{SessionConfig, SessionContext};

use super::*;

pub(super) fn context() -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(2);
    config.options_mut().sql_parser.dialect = datafusion::config::Dialect::Hive;
    let mut state = SessionStateBuilder::new()
        .with_config(config)
        .with_expr_planners(vec![Arc::new(HiveExprPlanner)])
        .with_scalar_functions(SCALAR.values().cloned().collect())
        .with_aggregate_functions(AGGREGATE.values().cloned().collect())
        .with_window_functions(WINDOW.values().cloned().collect())
        .build();
    let _ = state.register_expr_planner(Arc::new(HiveExprPlanner));
    SessionContext::new_with_state(state)
}

pub(super) fn query(sql: &str) -> Result<Vec<Vec<Option<String>>>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let context = context();
    runtime.block_on(async {
        let batches = context.sql(sql).await?.collect().await?;
        let mut rows = Vec::new();
        for batch in batches {
            for row in 0..batch.num_rows() {
                rows.push(batch.columns().iter().map(|c| render(c, row)).collect());
            }
        }
        Ok(rows)
    })
}

/// A value as Hive's text of it; lists, maps and structs in the manner of Hive's shell.
pub(super) fn render(array: &ArrayRef, row: usize) -> Option<String> {
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return None;
    }
    let inner = |array: &ArrayRef, row| {
        let text = render(array, row);
        let quoted = matches!(array.data_type(), DataType::Utf8View | DataType::Utf8);
        text.map_or("null".to_owned(), |t| if quoted { format!("\"{t}\"") } else { t })
    };
    Some(match array.data_type() {
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            format!("[{}]", (0..items.len()).map(|i| inner(&items, i)).collect::<Vec<_>>().join(","))
        }
        DataType::Map(..) => {
            let entries: ArrayRef = Arc::new(array.as_map().value(row));
            let (keys, values) = (entries.as_struct().column(0), entries.as_struct().column(1));
            let pairs = (0..entries.len()).map(|i| format!("{}:{}", inner(keys, i), inner(values, i)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter().zip(fields);
            let fields = columns.map(|(c, f)| format!("\"{}\":{}", f.name(), inner(c, row)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        _ => cast::cast_array(array, &DataType::Utf8View).unwrap().as_string_view().value(row).to_owned(),
    })
}

/// Checks one expression over constants, and over a column of three rows.
#[track_caller]
pub(super) fn check(expression: &str, expected: &str) {
    let expected = (expected != "NULL").then(|| expected.to_owned());
    match query(&format!("SELECT {expression}")) {
        Ok(rows) => assert_eq!(rows, vec![vec![expected]], "{expression}"),
        Err(error) => panic!("{expression}: {error}"),
    }
}

#[track_caller]
pub(super) fn check_error(expression: &str, message: &str) {
    match query(&format!("SELECT {expression}")) {
        Ok(rows) => panic!("{expression} gives {rows:?}"),
        Err(error) => assert!(error.to_string().contains(message), "{expression}: {error}"),
    }
}

/// A cast as the planner writes it.
fn cast_literal(text: &str, to: &str) -> Option<String> {
    let function = scalar_function(&format!("__cast_{to}")).unwrap();
    let expr = function.call(vec![datafusion::prelude::lit(text)]);
    assert!(expr.get_type(&DFSchema::empty()).is_ok());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let batches = runtime
        .block_on(async { context().read_empty().unwrap().select(vec![expr]).unwrap().collect().await.unwrap() });
    render(batches[0].column(0), 0)
}

#[test]
fn casts_from_text() {
    for (text, to, expected) in [
        ("1.5", "int", Some("1")),
        (" 12 ", "int", Some("12")),
        ("-", "int", None),
        ("", "int", None),
        ("2147483648", "int", None),
        ("128", "tinyint", None),
        ("-128", "tinyint", Some("-128")),
        ("1e3", "double", Some("1000.0")),
        ("abc", "double", None),
        ("12.345", "decimal(5,2)", Some("12.35")),
        ("12345", "decimal(5,2)", None),
        ("no", "boolean", Some("false")),
        ("yes", "boolean", Some("true")),
        ("", "boolean", Some("false")),
        ("2014-07-05", "date", Some("2014-07-05")),
        ("05/Jul/2014", "date", None),
        ("2014-07-05 10:11:12.13", "timestamp", Some("2014-07-05 10:11:12.13")),
        ("äbc", "varchar(2)", Some("äb")),
        ("ab  ", "char(3)", Some("ab")),
    ] {
        assert_eq!(cast_literal(text, to).as_deref(), expected, "{text} as {to}");
    }
}

#[test]
fn casts_of_numbers() {
    let context = context();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let check = |value: Expr, to: &str, expected: Option<&str>| {
        let expr = scalar_function(&format!("__cast_{to}")).unwrap().call(vec![value]);
        let frame = context.read_empty().unwrap().select(vec![expr]).unwrap();
        let batches = runtime.block_on(frame.collect()).unwrap();
        assert_eq!(render(batches[0].column(0), 0).as_deref(), expected, "{to}");
    };
    let lit = |v: f64| datafusion::prelude::lit(v);
    check(lit(1e10), "int", Some("2147483647"));
    check(lit(-1.9), "bigint", Some("-1"));
    check(lit(300.0), "tinyint", Some("44"));
    check(lit(f64::NAN), "int", Some("0"));
    check(lit(1e10), "string", Some("1.0E10"));
    check(lit(1.005), "decimal(10,2)", Some("1.01"));
    check(lit(1.5), "timestamp", Some("1970-01-01 00:00:01.5"));
    check(datafusion::prelude::lit(1500i64), "timestamp", Some("1970-01-01 00:00:01.5"));
    check(datafusion::prelude::lit(4294967297i64), "int", Some("1"));
    check(datafusion::prelude::lit(true), "string", Some("TRUE"));
    check(datafusion::prelude::lit(2i32), "boolean", Some("true"));
}

#[test]
fn operators() {
    check("1 / 2", "0.5");
    check("6 / 3", "2.0");
    check("1 / 0", "NULL");
    check("div(7, 2)", "3");
    check("div(-7, 2)", "-3");
    check("div(7, 0)", "NULL");
    check("-7 % 3", "-1");
    check("7 % 0", "NULL");
    check("pmod(-7, 3)", "2");
    check("7.5 % 2", "1.5");
    check("2147483647 + 1", "-2147483648");
    check("9223372036854775807 + 1", "-9223372036854775808");
    check("'3' + 4", "7.0");
    check("'x' + 4", "NULL");
    check("1 + NULL", "NULL");
    check("1 = '1.0'", "true");
    check("1 = 'x'", "NULL");
    check("'10' < 9", "false");
    check("'10' < '9'", "true");
    check("1 <=> NULL", "false");
    check("NULL <=> NULL", "true");
    check("6 & 3", "2");
    check("6 | 3", "7");
    check("6 ^ 3", "5");
    check_error("1 AND 2", "takes booleans");
    check_error("1 + true", "takes two numbers");
    check_error("1.5 & 2", "two whole numbers");
}

#[test]
fn columns_and_constants_mix() {
    let check = |expression: &str, expected: [&str; 3]| {
        let sql = format!("SELECT {expression} FROM (VALUES ('a-1', 1), ('b', 2), (NULL, NULL)) t(s, n)");
        let rows = query(&sql).unwrap_or_else(|e| panic!("{expression}: {e}"));
        let found: Vec<_> = rows.iter().map(|r| r[0].as_deref().unwrap_or("NULL")).collect();
        assert_eq!(found, expected, "{expression}");
    };
    check("substr(s, n)", ["a-1", "", "NULL"]);
    check("concat(s, '!', n)", ["a-1!1", "b!2", "NULL"]);
    check("if(n = 1, s, 'x')", ["a-1", "x", "x"]);
    check("coalesce(s, 'x')", ["a-1", "b", "x"]);
    check("nvl(n, '-')", ["1", "2", "-"]);
    check("split(s, '-')[n]", ["1", "NULL", "NULL"]);
    check("array('p', 'q', s)[n]", ["q", "b", "NULL"]);
    check("map('a-1', 7)[s]", ["7", "NULL", "NULL"]);
    check("n / 2", ["0.5", "1.0", "NULL"]);
    check("round(n / 3, 2)", ["0.33", "0.67", "NULL"]);
    check("rlike(s, '[0-9]')", ["true", "false", "NULL"]);
    check("greatest(n, 2)", ["2", "2", "NULL"]);
    check("from_unixtime(n, 'ss')", ["01", "02", "NULL"]);
    check("date_add('2014-07-05', n)", ["2014-07-06", "2014-07-07", "NULL"]);
    check("count(*) OVER ()", ["3", "3", "3"]);
    check("n = '1'", ["true", "false", "NULL"]);
    check("nullif(s, 'b')", ["a-1", "NULL", "NULL"]);
    check("isnull(s)", ["false", "false", "true"]);
}

#[test]
fn lists_of_in_take_one_type() {
    use datafusion::prelude::lit;
    let schema = DFSchema::empty();
    let list = in_list(lit("200"), vec![lit(200), lit(404)], false, &schema).unwrap();
    assert_eq!(list.to_string(), "Float64(200) IN ([Float64(200), Float64(404)])");
    assert!(in_list(lit(true), vec![lit(ScalarValue::Date32(Some(1)))], false, &schema).is_err());
}

#[test]
fn names_are_implemented_or_missing_never_both() {
    for name in names() {
        assert!(!is_hive_function(&name), "{name}");
    }
    assert!(is_hive_function("printf"));
    assert!(names().len() > 150);
}

#[test]
fn conditions() {
    check("if(1 = 1, 'a', 'b')", "a");
    check("if(NULL, 1, 2)", "2");
    check("if(true, 1, 'x')", "1");
    check("nvl(NULL, 3)", "3");
    check("coalesce(NULL, NULL, 'z')", "z");
    check("coalesce(NULL, NULL)", "NULL");
    check("nullif(1, 1)", "NULL");
    check("nullif(1, 2)", "1");
    check("nullif('1', 1)", "NULL");
    check("greatest(1, 3, 2)", "3");
    check("greatest(1, NULL, 2)", "NULL");
    check("least('b', 'a')", "a");
    check("least(1, 0.5)", "0.5");
    check("isnull(NULL)", "true");
    check("isnotnull('')", "true");
    check("istrue(NULL)", "false");
    check_error("if(1, 2, 3)", "takes a boolean");
    check_error("nvl(1)", "nvl takes 2 arguments, found 1");
}
