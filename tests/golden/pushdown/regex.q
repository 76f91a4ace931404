-- Predicates on a RegexSerDe: lines that do not match are rows of NULLs to them, and are counted all the same.
-- FILE data/r/log
-- |#Version: 1.0
-- |2014-07-05 200 LHR3 (Linux;x)
-- |2014-07-06 404 FRA6 (Windows;x)
-- |2014-07-07 - LHR3 ()
-- |nothing of the kind
-- |2014-08-09 200 a-place-with-a-long-name (Linux;x)
CREATE EXTERNAL TABLE r (day DATE, status INT, edge STRING, os STRING)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "^(?!#)(\\S+) (\\S+) (\\S+) \\((?:(\\w+);.*)?\\)$") LOCATION 'data/r';
SELECT os, count(*) FROM r WHERE day BETWEEN '2014-07-05' AND '2014-08-05' GROUP BY os;
SELECT edge FROM r WHERE status = 200;
SELECT * FROM r WHERE day IS NULL;
SELECT day FROM r WHERE os IS NULL AND edge = 'LHR3';
SELECT edge, os FROM r WHERE edge LIKE '%long%' OR os = 'Windows';
SET logq.serde.on_mismatch=skip;
SELECT count(*) FROM r WHERE status IS NULL;
SET logq.scan.pushdown=false;
SELECT count(*) FROM r WHERE status IS NULL;
