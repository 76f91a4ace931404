-- NUL bytes are text like any other.
-- FILE data/d/log
-- >a\x00b,1\x0a\x00,2\x0a
CREATE EXTERNAL TABLE d (k STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/d';
SELECT length(k), n FROM d;
INSERT OVERWRITE DIRECTORY 'out/d' SELECT * FROM d;
