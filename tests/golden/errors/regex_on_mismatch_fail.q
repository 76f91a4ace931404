-- logq.serde.on_mismatch=fail: a line that does not match stops the job.
-- FILE data/r/log
-- |a1
-- |b
SET logq.serde.on_mismatch=fail;
CREATE EXTERNAL TABLE r (x STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(\\w\\d)") LOCATION 'data/r';
SELECT x FROM r;
