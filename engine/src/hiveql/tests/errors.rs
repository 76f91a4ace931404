//! What errors say, and where they point.

use super::error_of;

/// The first error of the script: its message, the text it points at, its first hint.
#[track_caller]
fn check(text: &str, message: &str, at: &str, hint: &str) {
    let (got, place, hints) = error_of(text);
    assert_eq!((got.as_str(), place.as_str(), hints.first().map_or("", String::as_str)), (message, at, hint), "{text}");
}

#[test]
fn misspelt_words() {
    check("SELCT a FROM t", "`SELCT` does not start a statement", "SELCT", "did you mean `SELECT`?");
    check("foo bar", "`foo` does not start a statement", "foo", "");
    check("SELECT a FORM t", "expected `FROM`, found `FORM`", "FORM", "did you mean `FROM`?");
    check("SELECT a FROM t WHRE a = 1", "expected `WHERE`, found `WHRE`", "WHRE", "did you mean `WHERE`?");
    check("SELECT a FROM t GRUOP BY a", "expected `GROUP`, found `GRUOP`", "GRUOP", "did you mean `GROUP`?");
    check(
        "INSERT OVERWRIT TABLE t SELECT 1",
        "expected `OVERWRITE` or `INTO`, found `OVERWRIT`",
        "OVERWRIT",
        "did you mean `OVERWRITE`?",
    );
    check("SELECT a FROM (SELECT b FORM t) q", "expected `FROM`, found `FORM`", "FORM", "did you mean `FROM`?");
}

#[test]
fn the_end_of_the_statement() {
    check("SELECT a FROM", "expected a name, found the end of the statement", "", "");
    check("SELECT 1; SELECT a +; SELECT 2", "expected an expression, found the end of the statement", "", "");
    check("CREATE TABLE t (a INT", "expected `,` or `)`, found the end of the statement", "", "");
    check("EXPLAIN", "expected a statement, found the end of the statement", "", "");
}

#[test]
fn wrong_words() {
    check("CREATE TABLE t (a FOO)", "expected a type, found `FOO`", "FOO", "");
    check("CREATE TABLE t (a INT b)", "expected `,`, `)`, `COMMENT` or a constraint, found `b`", "b", "");
    check(
        "CREATE TABLE t (a INT) PARTITIONED (b INT)",
        "expected a clause of CREATE TABLE, or `AS`, found `PARTITIONED`",
        "PARTITIONED",
        "",
    );
    check("SELECT a FROM WHERE b = 1", "expected a table, found `WHERE`", "WHERE", "");
    check("SELECT a, FROM t", "expected an expression, found `FROM`", "FROM", "");
    check("SELECT a left FROM t", "expected the end of the statement, found `left`", "left", "");
    check("SELECT a FROM t ORDER a", "expected `BY`, found `a`", "a", "");
    check("INSERT INTO SELECT 1", "expected a table, found `SELECT`", "SELECT", "");
    check("ALTER TABLE t ADD COLUMN c INT", "expected `PARTITION`, found `COLUMN`", "COLUMN", "");
    check("SELECT a b c FROM t", "expected the end of the statement, found `c`", "c", "");
}

#[test]
fn places_survive_variables() {
    check("SELECT a FROM ${tbl} WHERE ${col} = = 1", "expected an expression, found `=`", "=", "");
    check(
        "SELECT 1 +\n  ${hiveconf:DATE} ${nope}",
        "variable `${nope}` is not set",
        "${nope}",
        "set it with --hivevar nope=… or SET hivevar:nope=…",
    );
    check("SELECT é, a FROM t x ${tbl}", "expected the end of the statement, found `t`", "${tbl}", "");
}

#[test]
fn unsupported_statements_are_named() {
    check("GRANT SELECT ON t TO u", "logq has no `GRANT`", "GRANT", "");
    check("CREATE INDEX ix ON TABLE t (a) AS 'COMPACT'", "logq has no `CREATE INDEX`", "INDEX", "");
    check("ALTER TABLE t COMPACT 'major'", "logq has no `ALTER TABLE … COMPACT`", "COMPACT", "");
}

#[test]
fn signs() {
    check("SELECT a # b", "`#` means nothing in HiveQL", "#", "a comment starts with `--`");
    check("SELECT 'abc", "this string is never closed", "'", "");
}
