-- A LOCATION without files, and one whose files are all hidden.
-- DIR data/empty
-- FILE data/hidden/_log
-- |x
SET hive.cli.errors.ignore=true;
CREATE EXTERNAL TABLE t (x STRING) LOCATION 'data/empty';
SELECT * FROM t;
CREATE EXTERNAL TABLE h (x STRING) LOCATION 'data/hidden';
SELECT count(*) FROM h;
