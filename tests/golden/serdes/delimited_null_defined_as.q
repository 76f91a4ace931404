-- NULL DEFINED AS names the text of NULL; then \N is a text like any other.
-- FILE data/d/log
-- |-,1
-- |\N,-
-- |,3
CREATE EXTERNAL TABLE d (k STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' NULL DEFINED AS '-' LOCATION 'data/d';
SELECT k, k IS NULL, n FROM d;
