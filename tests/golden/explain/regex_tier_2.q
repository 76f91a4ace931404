-- EXPLAIN names the part of a regex for which it takes the linear engine.
-- MODES default: the plan depends on the mode
-- FILE data/r/log
-- |key=value;key=value
CREATE EXTERNAL TABLE r (pairs STRING, rest STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "((?:\\w+=\\w+\;?)+)(.*)") LOCATION 'data/r';
EXPLAIN SELECT pairs FROM r;
SELECT * FROM r;
