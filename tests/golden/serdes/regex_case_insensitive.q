-- input.regex.case.insensitive folds ASCII letters.
-- FILE data/r/log
-- |GET /a
-- |get /b
CREATE EXTERNAL TABLE r (verb STRING, uri STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(get) (.*)", "input.regex.case.insensitive" = "true") LOCATION 'data/r';
SELECT * FROM r;
CREATE EXTERNAL TABLE s (verb STRING, uri STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(get) (.*)") LOCATION 'data/r';
SELECT * FROM s;
