-- Fewer groups than columns: the first row fails, as in Hive.
-- FILE data/r/log
-- |a b
CREATE EXTERNAL TABLE r (x STRING, y STRING, z STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(\\w) (\\w)") LOCATION 'data/r';
SELECT x FROM r;
