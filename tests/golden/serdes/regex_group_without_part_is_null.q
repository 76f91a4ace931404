-- A group that took no part in the match is NULL; an empty group is an empty string.
-- FILE data/r/log
-- |a-b
-- |a
-- |a-
CREATE EXTERNAL TABLE r (x STRING, y STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(\\w)(?:-(\\w*))?") LOCATION 'data/r';
SELECT x, y, y IS NULL FROM r;
