-- A RegexSerDe without input.regex.
-- FILE data/r/log
-- |a
CREATE EXTERNAL TABLE r (x STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe' LOCATION 'data/r';
SELECT x FROM r;
