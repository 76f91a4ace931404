-- ESCAPED BY: an escaped separator is part of the field, and \n is a line feed.
-- FILE data/d/log
-- |a\,b,1
-- |c\\d,2
-- |e\nf,3
CREATE EXTERNAL TABLE d (k STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' ESCAPED BY '\\' LOCATION 'data/d';
SELECT hex(k), n FROM d;
CREATE EXTERNAL TABLE raw (k STRING, n STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/d';
SELECT * FROM raw;
