//! Nothing that a user writes overflows the stack: 2 MB, in a debug build.

use std::thread;

use super::parse_all;
use crate::error::codes;
use crate::hiveql::Parsed;
use crate::hiveql::tokens::{CONNECTIVES_MAX, NESTING_MAX, OPERATORS_MAX};

/// Parses and drops on a thread with 2 MB of stack.
fn on_small_stack(text: String) -> crate::error::Result<()> {
    let run = move || parse_all(&text).map(drop);
    thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap()
}

/// Parses, clones, compares and drops there: an expression, not a query, whose clone takes more stack.
#[track_caller]
fn check_cloned(text: String) {
    let start: String = text.chars().take(60).collect();
    clone_on_small_stack(text).unwrap_or_else(|error| panic!("{start}: {error:?}"));
}

fn clone_on_small_stack(text: String) -> crate::error::Result<()> {
    let run = move || {
        let all: Vec<Parsed> = parse_all(&text)?;
        assert!(all.clone() == all);
        Ok(())
    };
    thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap()
}

#[track_caller]
fn check_refused(text: String) {
    let start: String = text.chars().take(60).collect();
    match on_small_stack(text) {
        Ok(()) => panic!("{start}: parsed"),
        Err(error) => assert_eq!(error.code(), codes::NESTING_DEPTH, "{start}: {error}"),
    }
}

#[track_caller]
fn check_taken(text: String) {
    let start: String = text.chars().take(60).collect();
    on_small_stack(text).unwrap_or_else(|error| panic!("{start}: {error:?}"));
}

/// `open` n times, `middle`, `close` n times.
fn nested(open: &str, middle: &str, close: &str, n: usize) -> String {
    format!("SELECT {}{middle}{}", open.repeat(n), close.repeat(n))
}

#[test]
fn nesting() {
    let shapes = [
        ("(", "1", ")"),
        ("f(", "1", ")"),
        ("a[", "1", "]"),
        ("CASE WHEN a THEN ", "1", " END"),
        ("CASE ", "1", " WHEN 1 THEN 2 END"),
        ("(SELECT ", "1", ")"),
        ("* FROM (SELECT ", "1", ")"),
        ("* FROM (SELECT a.b FROM (SELECT ", "1", ") q JOIN u)"),
        ("a IN (SELECT ", "1", ")"),
        ("EXISTS (SELECT ", "1", ")"),
        ("CAST(", "1", " AS INT)"),
        ("if(a = 1, 2, 3 + (", "1", "))"),
        ("floor(", "1", ")"),
    ];
    for (open, middle, close) in shapes {
        check_taken(nested(open, middle, close, 48));
        check_refused(nested(open, middle, close, 20_000));
        check_refused(nested(open, middle, "", 20_000));
    }
    check_taken(nested("(", "1", ")", NESTING_MAX - 1));
    check_refused(nested("(", "1", ")", NESTING_MAX + 1));
    check_refused(format!("SELECT CAST(a AS {}INT{})", "ARRAY<".repeat(1_000), ">".repeat(1_000)));
    check_refused(format!("CREATE TABLE t (a {}INT{})", "ARRAY<".repeat(1_000), ">".repeat(1_000)));
    check_taken(format!("CREATE TABLE t (a {}INT{})", "ARRAY<".repeat(90), ">".repeat(90)));
}

#[test]
fn chains() {
    for operator in ["+", "||", "DIV", "*", "LIKE", "BETWEEN 1 AND"] {
        check_cloned(format!("SELECT a{}", format!(" {operator} a").repeat(OPERATORS_MAX - 2)));
        check_refused(format!("SELECT a{}", format!(" {operator} a").repeat(20_000)));
    }
    for term in ["OR", "AND", "= 1 OR a =", "IS NULL AND", "BETWEEN 1 AND 2 OR", "= 1 AND b = 2 OR a ="] {
        let connectives = if term.contains("b = 2") { 2 } else { 1 };
        let terms = CONNECTIVES_MAX / connectives - 1;
        check_cloned(format!("SELECT a FROM t WHERE a{}", format!(" {term} a").repeat(terms)));
        check_refused(format!("SELECT a FROM t WHERE a{}", format!(" {term} a").repeat(20_000)));
    }
    for unary in ["NOT ", "- ", "~", "!", "+ "] {
        check_taken(format!("SELECT {}a", unary.repeat(100)));
        check_refused(format!("SELECT {}a", unary.repeat(20_000)));
    }
    check_taken(format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(OPERATORS_MAX - 2)));
    check_refused(format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(20_000)));
    check_taken(format!("SELECT a{}", ".a".repeat(1_000)));
    check_taken(format!("SELECT a{}", "[1]".repeat(20_000)));
    check_taken(format!("SELECT * FROM ({}t JOIN u{}", "(".repeat(60), ")".repeat(61)));
}

#[test]
fn lists_are_not_limited() {
    check_cloned(format!("SELECT a FROM t WHERE a IN (1{})", ", -1 + 1".repeat(20_000)));
    check_taken(format!("INSERT INTO t VALUES (1, 'a'){}", ", (1, 'a')".repeat(20_000)));
    check_taken(format!("SELECT CASE {} END", "WHEN a = 1 AND b = 2 THEN 3 ".repeat(5_000)));
}

#[test]
fn hopeless_alternatives_end_soon() {
    for (open, close) in [
        ("a.b[", "]"),
        ("(a).b[", "]"),
        ("(SELECT * FROM ((", "))"),
        ("* FROM ((SELECT * FROM (", ") a))"),
        ("NOT EXISTS (SELECT 1).a[", "]"),
        ("trim(", ")"),
        ("INTERVAL (", ") DAY"),
        ("f(DISTINCT ", ")"),
    ] {
        assert!(on_small_stack(nested(open, "bad bad bad", close, 32)).is_err());
    }
}
