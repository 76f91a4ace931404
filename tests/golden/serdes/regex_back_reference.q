-- A back-reference works, through the backtracking engine.
-- FILE data/r/log
-- |abcabc
-- |abcabd
CREATE EXTERNAL TABLE r (x STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(\\w+)\\1") LOCATION 'data/r';
SELECT * FROM r;
