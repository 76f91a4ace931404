-- CHAR and VARCHAR are cut, DECIMAL is rounded to its scale.
-- FILE data/r/log
-- |abcdef|abcdef|1.255
-- |ab|ab|12345.6
CREATE EXTERNAL TABLE r (c CHAR(4), v VARCHAR(3), d DECIMAL(5,2)) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(.*)\\|(.*)\\|(.*)") LOCATION 'data/r';
SELECT concat('[', c, ']'), concat('[', v, ']'), d FROM r;
