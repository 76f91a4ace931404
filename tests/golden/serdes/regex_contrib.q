-- The contrib class: STRING columns, missing groups are NULL, extra ones ignored without a word.
-- FILE data/r/log
-- |a b
CREATE EXTERNAL TABLE few (x STRING, y STRING, z STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.contrib.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(\\w) (\\w)", "output.format.string" = "%1$s %2$s") LOCATION 'data/r';
SELECT * FROM few;
CREATE EXTERNAL TABLE many (x STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.contrib.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(\\w) (\\w)") LOCATION 'data/r';
SELECT * FROM many;
