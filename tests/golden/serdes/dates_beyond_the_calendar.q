-- Hive 3.1 rolls months, days and hours beyond the calendar over, in columns as in CAST; a column wants eight characters.
-- FILE data/d/log
-- |2014-07-05,2014-07-05 20:00:00
-- |2014-13-05,2014-13-05 20:00:00
-- |2014-02-30,2014-02-30 24:00:60.5
-- |2014-7-5 x,2014-07-05T20:00:00
-- |2014-00-00,2014-07-05
-- |14-7-5,14-7-5
CREATE EXTERNAL TABLE texts (d STRING, t STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/d';
CREATE EXTERNAL TABLE typed (d DATE, t TIMESTAMP) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/d';
CREATE EXTERNAL TABLE matched (d DATE, t TIMESTAMP) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "([^,]*),(.*)") LOCATION 'data/d';
SELECT CAST(d AS DATE), CAST(t AS TIMESTAMP), to_date(d) FROM texts;
SELECT * FROM typed;
SELECT * FROM matched;
