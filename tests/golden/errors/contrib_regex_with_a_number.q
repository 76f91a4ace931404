-- The contrib class takes STRING columns only.
CREATE EXTERNAL TABLE r (n INT) ROW FORMAT SERDE 'org.apache.hadoop.hive.contrib.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(\\d)") LOCATION 'data/r';
SELECT n FROM r;
