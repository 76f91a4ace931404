-- Every boundary of a CRLF file, as tiny_splits cuts it: no row is lost, doubled or carries a CR.
-- FILE data/d/log
-- *40 >abcdefg\x0d\x0a
-- *40 >abcdefghij\x0d\x0a
CREATE EXTERNAL TABLE d (k STRING) LOCATION 'data/d';
SELECT k, length(k), count(*) FROM d GROUP BY k;
