-- A byte order mark at the start of a file is no part of the first field.
-- FILE data/d/log
-- >\xef\xbb\xbf1,a\x0a2,b\x0a
CREATE EXTERNAL TABLE d (n INT, k STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/d';
SELECT * FROM d;
