-- A LOCATION that does not exist.
CREATE EXTERNAL TABLE t (x STRING) LOCATION 'data/nope';
SELECT * FROM t;
