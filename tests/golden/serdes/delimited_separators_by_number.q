-- A string of digits is the number of a byte: '9' is TAB, '124' is a bar.
-- FILE data/d/log
-- |a	1
-- FILE data/e/log
-- |a|1
CREATE EXTERNAL TABLE d (k STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY '9' LOCATION 'data/d';
SELECT * FROM d;
CREATE EXTERNAL TABLE e (k STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY '124' LOCATION 'data/e';
SELECT * FROM e;
