-- Without ROW FORMAT the separator is \x01 and NULL is \N.
-- FILE data/d/log
-- >a\x011\x0ab\x01\N\x0a\N\x013\x0a
CREATE EXTERNAL TABLE d (k STRING, n INT) LOCATION 'data/d';
SELECT * FROM d;
