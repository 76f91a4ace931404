-- Missing trailing fields are NULL, extra ones are dropped, a blank line is one row.
-- FILE data/d/log
-- |a,1
-- |b
-- |c,3,x,y
-- |
-- |d,5,z
CREATE EXTERNAL TABLE d (k STRING, n INT, x STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/d';
SELECT k, n, x, k IS NULL FROM d;
