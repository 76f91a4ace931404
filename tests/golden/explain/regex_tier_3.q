-- EXPLAIN names the part of a regex for which it takes the backtracking engine.
-- MODES default: the plan depends on the mode
-- FILE data/r/log
-- |'a' "b"
CREATE EXTERNAL TABLE r (quote STRING, text STRING, rest STRING)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(['\"])(.*?)\\1(.*)") LOCATION 'data/r';
EXPLAIN SELECT text FROM r;
SELECT * FROM r;
