-- The regex is compiled with DOTALL, and `\s`, `\w`, `\d` are ASCII as in Java.
-- FILE data/r/log
-- |é1
-- |e1
-- >x\x0by\x0a
CREATE EXTERNAL TABLE r (x STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(\\w\\w|x.y)") LOCATION 'data/r';
SELECT x IS NULL FROM r;
