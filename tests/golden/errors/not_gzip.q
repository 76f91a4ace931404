-- Plain text named .gz.
-- FILE! data/t/log.gz
-- |plain text
CREATE EXTERNAL TABLE t (x STRING) LOCATION 'data/t';
SELECT count(*) FROM t;
