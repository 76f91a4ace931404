-- A line that the regex does not match becomes a row of NULLs, is counted, and COUNT(*) counts it.
-- FILE data/r/log
-- |#Version: 1.0
-- |1 one
-- |
-- |2 two
-- |3 three four
CREATE EXTERNAL TABLE r (n INT, word STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "^(?!#)(\\d+) (\\w+)$") LOCATION 'data/r';
SELECT * FROM r;
SELECT count(*), count(n), count(word) FROM r;
