-- logq.serde.on_mismatch=skip drops lines that do not match, and still counts them.
-- FILE data/r/log
-- |#Version: 1.0
-- |1 one
-- |2 two
CREATE EXTERNAL TABLE r (n INT, word STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(\\d+) (\\w+)") LOCATION 'data/r';
SET logq.serde.on_mismatch=skip;
SELECT * FROM r;
