-- Groups whose order is seen later, by LIMIT, a join or collect_list, are in key order too, wherever the files are split.
-- MODES default one_thread threads_8 tiny_splits spill: the pipelined executor takes groups as they come
-- FILE data/t/a.txt
-- *30 >d\x0aq\x0aa\x0az\x0am\x0a\N\x0ac\x0a
-- *20 >x\x0ab\x0ak\x0a
CREATE EXTERNAL TABLE t (k STRING) LOCATION 'data/t';
SELECT max(k), count(*) FROM (SELECT k, count(*) FROM t GROUP BY k LIMIT 4) x;
SELECT collect_list(k), collect_list(n) FROM (SELECT k, count(*) n FROM t GROUP BY k) x;
SELECT n, collect_list(k) FROM (SELECT k, count(*) n FROM t GROUP BY k) x GROUP BY n;
SELECT a.k, b.n FROM (SELECT DISTINCT k FROM t) a JOIN (SELECT k, count(*) n FROM t GROUP BY k) b ON a.k = b.k;
SELECT a.k, b.n FROM (SELECT DISTINCT k FROM t) a LEFT JOIN (SELECT k, count(*) n FROM t WHERE k > 'c' GROUP BY k) b ON a.k = b.k;
SELECT k, n, row_number() OVER () FROM (SELECT k, count(*) n FROM t GROUP BY k) x;
SELECT x.k, y.k FROM (SELECT DISTINCT k FROM t WHERE k < 'd') x CROSS JOIN (SELECT DISTINCT k FROM t WHERE k > 'k') y;
