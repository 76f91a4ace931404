-- Statements that are read and not executed yet, each with its name and place.
SET hive.cli.errors.ignore=true;
CREATE TABLE t (x INT);
TRUNCATE TABLE t;
MSCK REPAIR TABLE t;
ANALYZE TABLE t COMPUTE STATISTICS;
SHOW PARTITIONS t;
CREATE TEMPORARY MACRO twice(x INT) x * 2;
UPDATE t SET x = 1;
DELETE FROM t WHERE x = 1;
EXPORT TABLE t TO 'out/x';
