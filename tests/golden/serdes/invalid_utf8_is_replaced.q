-- Bytes that are not UTF-8 become U+FFFD, and the summary counts the rows.
-- FILE data/d/log
-- >a\xff\xfeb,1\x0aok,2\x0a\xc3,3\x0a
CREATE EXTERNAL TABLE d (k STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/d';
SELECT * FROM d;
