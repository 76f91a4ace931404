-- Without anchors the regex must still match the whole line, as Matcher.matches does.
-- FILE data/r/log
-- |a1
-- |a1b
-- |xa1
CREATE EXTERNAL TABLE r (a STRING, n INT) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(a)(\\d)") LOCATION 'data/r';
SELECT * FROM r;
