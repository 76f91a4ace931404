-- A regex with a back-reference that would take for ever: an error at the limit of steps.
-- FILE data/r/log
-- |aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!
CREATE EXTERNAL TABLE r (x STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(?:(?:a|a)*)*(\\w+) \\1") LOCATION 'data/r';
SELECT x FROM r;
