-- More groups than columns: Athena's way, the first groups are taken with a warning.
-- FILE data/r/log
-- |a b c
CREATE EXTERNAL TABLE r (x STRING, y STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(\\w) (\\w) (\\w)") LOCATION 'data/r';
SELECT * FROM r;
