-- logq.serde.strict: more groups than columns is an error, as in Hive.
-- FILE data/r/log
-- |a b
SET logq.serde.strict=true;
CREATE EXTERNAL TABLE r (x STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(\\w) (\\w)") LOCATION 'data/r';
SELECT x FROM r;
