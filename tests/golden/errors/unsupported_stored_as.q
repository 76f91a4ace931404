-- STORED AS ORC, of a table and of a directory.
SET hive.cli.errors.ignore=true;
CREATE EXTERNAL TABLE x (a INT) STORED AS ORC LOCATION 'data/emp';
INSERT OVERWRITE DIRECTORY 'out/x' STORED AS PARQUET SELECT 1;
