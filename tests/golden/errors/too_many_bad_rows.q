-- logq.max_bad_rows: one more malformed row than allowed fails the job and writes nothing.
-- FILE data/r/log
-- |a1
-- |b
-- |c
SET logq.max_bad_rows=1;
CREATE EXTERNAL TABLE r (x STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(\\w\\d)") LOCATION 'data/r';
INSERT OVERWRITE DIRECTORY 'out/x' SELECT x FROM r;
