//! Parts of trees that front ends get wrong without an error. A tree is compared by parts of its `Debug` text.

use super::parse_all;

/// The tree of `text` has each of `has` in it, and none of `has_not`.
#[track_caller]
fn check_without(text: &str, has: &[&str], has_not: &[&str]) {
    let trees: Vec<String> = parse_all(text).unwrap().iter().map(|parsed| format!("{:?}", parsed.statement)).collect();
    let tree = trees.join("\n");
    for part in has {
        assert!(tree.contains(part), "{text}\nlacks {part}\n{tree}");
    }
    for part in has_not {
        assert!(!tree.contains(part), "{text}\nhas {part}\n{tree}");
    }
}

#[track_caller]
fn check(text: &str, has: &[&str]) {
    check_without(text, has, &[]);
}

#[test]
fn strings() {
    check("SELECT a FROM t WHERE s = \"double\"", &["SingleQuotedString(\"double\")"]);
    check("SELECT \"it's\"", &["String(\"it's\")"]);
    check("SELECT 'it''s'", &["String(\"its\")"]);
    check("SELECT 'it\\'s'", &["String(\"it's\")"]);
    check("SELECT \"say \\\"hi\\\"\"", &["String(\"say \\\"hi\\\"\")"]);
    check("SELECT m[\"k\"] FROM t", &["Subscript(Index", "String(\"k\")"]);
    check("SELECT regexp_extract(a, '^(\\\\S+)\\\\s+', 1)", &["\"^(\\\\S+)\\\\s+\""]);
    check_without("SELECT 'a' 'b'", &["String(\"ab\")"], &["Alias"]);
    check("CREATE TABLE t (a INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\001'", &["\"\\u{1}\""]);
}

#[test]
fn numbers() {
    for (number, data_type) in [("1L", "BigInt"), ("1S", "SmallInt"), ("1Y", "TinyInt"), ("1.5D", "Double")] {
        check_without(&format!("SELECT {number}"), &["Cast", data_type], &["Alias"]);
    }
    check("SELECT 1.05BD", &["Decimal(PrecisionAndScale(3, 2))"]);
    check("SELECT CASE s WHEN 200 THEN 1L ELSE 0L END FROM t", &["BigInt"]);
    check("SELECT 2xx, t.3xx FROM t", &["\"2xx\"", "\"3xx\""]);
}

#[test]
fn names() {
    check_without("SELECT date, time FROM t", &["Identifier(Ident { value: \"date\""], &["TypedString"]);
    check("SELECT date '2020-01-01', timestamp '2020-01-01 00:00:00'", &["data_type: Date", "data_type: Timestamp"]);
    check("SELECT `A``B` FROM t", &["value: \"a`b\", quote_style: Some('`')"]);
    check("SELECT A, COUNT(*) Cnt FROM Db.T X", &["\"a\"", "\"count\"", "\"cnt\"", "\"db\"", "\"t\"", "\"x\""]);
    check("SELECT t.order, t.user FROM t", &["CompoundIdentifier([Ident { value: \"t\"", "\"order\""]);
    check("SELECT a.x FROM a window JOIN b ON window.x = b.x", &["alias: Some(TableAlias", "\"window\"", "Join("]);
    check("SELECT `(DS|hr)?+.+`, `\\S+` FROM t", &["(ds|hr)?+.+", "\\\\S+"]);
    check("SELECT a 'X' FROM t", &["alias: Ident { value: \"x\", quote_style: Some('`')"]);
    check("CREATE TABLE T (A STRUCT<X:INT>)", &["\"t\"", "\"a\"", "Struct([(\"x\""]);
}

#[test]
fn operators() {
    check_without("SELECT a DIV b FROM t", &["MyIntegerDivide"], &["Alias"]);
    check("SELECT a DIV 2 + 1 FROM t", &["BinaryOp { left: BinaryOp"]);
    check("SELECT a FROM t WHERE a <=> b", &["op: Spaceship"]);
    check("SELECT a FROM t WHERE a = 1 && b = 2", &["op: And, right: BinaryOp"]);
    check("SELECT a FROM t WHERE !(a = 1)", &["UnaryOp { op: Not"]);
    check("SELECT a || b + c FROM t", &["op: StringConcat, right: BinaryOp"]);
    check("SELECT a * b ^ c FROM t", &["op: Multiply, right: BinaryOp"]);
    check("SELECT a FROM t WHERE a NOT RLIKE 'x'", &["RLike { negated: true"]);
    check("SELECT a FROM t WHERE NOT a IN (1)", &["UnaryOp { op: Not, expr: InList"]);
    check("SELECT a[0].b.c[1] FROM t", &["CompoundFieldAccess { root: Identifier(Ident { value: \"a\""]);
    check("SELECT (struct(1,2)).col1 FROM t", &["CompoundFieldAccess { root: Nested"]);
}

#[test]
fn intervals() {
    for text in ["dt + 1 DAY", "dt + INTERVAL 1 DAY", "dt + INTERVAL '1' DAY", "dt - INTERVAL (a+1) DAY"] {
        check_without(&format!("SELECT {text} FROM t"), &["right: Interval", "Some(Day)"], &["Alias"]);
    }
    check("SELECT INTERVAL '1-2' YEAR TO MONTH", &["leading_field: Some(Year)", "last_field: Some(Month)"]);
    check("SELECT 1 day FROM t", &["alias: Ident { value: \"day\""]);
    check("SELECT EXTRACT(year FROM ts), floor(ts TO day), floor(x) FROM t", &["Extract", "Floor", "\"floor\""]);
    check("SELECT dt + INTERVAL 1 DAY > x FROM t", &["op: Gt"]);
}

#[test]
fn from_clauses() {
    check_without(
        "SELECT x FROM t LATERAL VIEW explode(a) e AS x",
        &["lateral: true", "CrossJoin"],
        &["LateralView {"],
    );
    check("SELECT x FROM t LATERAL VIEW OUTER explode(a) e AS x", &["Left(On("]);
    check("SELECT a FROM t1 LATERAL VIEW f(b) e AS x JOIN t2 ON t2.a = e.x", &["CrossJoin", "Join(On("]);
    check_without("SELECT * FROM (SELECT a FROM t) q", &["Derived { lateral: false"], &["lateral: true"]);
    check_without(
        "SELECT 1 FROM ((SELECT 1 b) y JOIN z ON y.b = z.b) JOIN ((SELECT 1) UNION ALL (SELECT 2)) x ON 1 = 1",
        &["NestedJoin", "SetOperation"],
        &["lateral: true"],
    );
    check("SELECT * FROM a LEFT SEMI JOIN b ON a.x = b.x", &["LeftSemi"]);
    check("SELECT * FROM a LEFT ANTI JOIN b ON a.x = b.x", &["LeftAnti"]);
    check("SELECT /*+ MAPJOIN(b) */ a.x FROM a", &["MAPJOIN(b)"]);
    check("SELECT * FROM t TABLESAMPLE (BUCKET 3 OUT OF 16 ON id) s", &["TableSampleBucket"]);
    check("SELECT * FROM t TABLESAMPLE (10 PERCENT) s", &["unit: Some(Percent)"]);
    check("SELECT * FROM t TABLESAMPLE (10 ROWS) s", &["unit: Some(Rows)"]);
    check("SELECT a FROM t MINUS SELECT b FROM t", &["op: Minus"]);
}

#[test]
fn grouping_and_windows() {
    check("SELECT a FROM t GROUP BY a WITH ROLLUP", &["[Rollup]"]);
    check("SELECT a FROM t GROUP BY a WITH CUBE", &["[Cube]"]);
    check("SELECT a FROM t GROUP BY a, b GROUPING SETS ((a,b),a,())", &["[GroupingSets("]);
    check("SELECT a FROM t GROUP BY CUBE (a, b)", &["Cube([["]);
    check("SELECT rank() OVER (DISTRIBUTE BY a SORT BY b) FROM t", &["partition_by: [Id", "order_by: [Order"]);
    check("SELECT sum(a) OVER w FROM t WINDOW w AS (PARTITION BY b)", &["NamedWindow", "named_window: [Named"]);
    check("SELECT a FROM t DISTRIBUTE BY a SORT BY b DESC", &["distribute_by: [Id", "sort_by: [Order", "Some(false)"]);
    check("SELECT last_value(a) IGNORE NULLS OVER (ORDER BY b) FROM t", &["Some(IgnoreNulls)"]);
}

#[test]
fn inserts() {
    check(
        "FROM s INSERT OVERWRITE TABLE t1 SELECT a WHERE b=1 INSERT INTO TABLE t2 SELECT b",
        &["from: Some([TableWithJoins", "\"t1\"", "\"t2\"", "overwrite: true", "overwrite: false"],
    );
    check("INSERT OVERWRITE TABLE t PARTITION (dt='x', hr) IF NOT EXISTS SELECT a", &["if_not_exists: true"]);
    check("INSERT INTO t (SELECT 1)", &["columns: []"]);
    check("WITH q AS (SELECT 1 a) FROM q SELECT a", &["Query(", "cte_tables"]);
    check("INSERT OVERWRITE LOCAL DIRECTORY '/o' STORED AS ORC SELECT 1", &["local: true", "\"ORC\""]);
}

#[test]
fn scripts() {
    check("FROM t MAP a, b USING 'm.py' AS k, v", &["__transform", "m.py", "ExprWithAliases"]);
    check("SELECT TRANSFORM (*) USING '/bin/cat' AS (c STRING) FROM t", &["__transform", "c STRING", "Wildcard"]);
    check("SELECT transform(a) FROM t", &["\"transform\""]);
}

#[test]
fn ddl() {
    check("CREATE TABLE t (a DECIMAL, b DECIMAL(5), c DECIMAL(5,2))", &["(10, 0)", "(5, 0)", "(5, 2)"]);
    check(
        "CREATE TABLE t (a STRUCT<x:INT COMMENT 'c',y:ARRAY<STRUCT<z:MAP<STRING,STRING>>>>)",
        &["Some(\"c\")", "Array(HiveType { kind: Struct", "Map("],
    );
    check("CREATE TABLE t (a INT NOT NULL, b STRING DEFAULT 'x')", &["\"NOT NULL\"", "\"DEFAULT 'x'\""]);
    check("CREATE TABLE t (a INT, PRIMARY KEY (a) DISABLE NOVALIDATE)", &["\"PRIMARY KEY (a) DISABLE NOVALIDATE\""]);
    check("CREATE TABLE t TBLPROPERTIES ('k'='v') LOCATION '/x' AS SELECT 1", &["location: Some", "query: Some"]);
    check("ALTER TABLE t DROP PARTITION (dt>='a', dt<'b') PURGE", &["GtEq", "Lt", "purge: true"]);
    check("ALTER TABLE t ADD COLUMNS (a INT) CASCADE", &["AddColumns", "cascade: true"]);
    check("ALTER TABLE t CHANGE a b INT RESTRICT", &["cascade: false"]);
    check("ALTER TABLE t CHANGE a b INT COMMENT 'x' AFTER c", &["After(Name", "comment: Some"]);
    check("CREATE VIEW v AS SELECT a -- c\n FROM t", &["query_text: \"SELECT a -- c\\n FROM t\""]);
    check("CREATE TEMPORARY MACRO sigmoid (x DOUBLE) 1.0 / (1.0 + EXP(-x))", &["CreateMacro", "Divide"]);
}

#[test]
fn explain_modes() {
    for mode in ["Extended", "Formatted", "Dependency", "Analyze", "Logical", "Physical"] {
        check(&format!("EXPLAIN {mode} SELECT 1"), &[&format!("mode: {mode}, statement: Query")]);
    }
    check("EXPLAIN VECTORIZATION ONLY DETAIL SELECT 1", &["mode: Vectorization"]);
    check("EXPLAIN ANALYZE TABLE t COMPUTE STATISTICS", &["mode: Plain, statement: Analyze"]);
    check("EXPLAIN TABLE t", &["Wildcard", "\"t\""]);
}
