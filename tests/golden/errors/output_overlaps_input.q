-- Output equal to, inside and around an input is refused before anything is touched.
-- FILE data/in/sub/log
-- |precious
SET hive.cli.errors.ignore=true;
CREATE EXTERNAL TABLE t (x STRING) LOCATION 'data/in/sub';
INSERT OVERWRITE DIRECTORY 'data/in/sub' SELECT x FROM t;
INSERT OVERWRITE DIRECTORY 'data/in/sub/deeper' SELECT x FROM t;
INSERT OVERWRITE DIRECTORY 'data/in' SELECT x FROM t;
INSERT OVERWRITE DIRECTORY 'data/../data/in/./sub/' SELECT x FROM t;
SELECT x FROM t;
