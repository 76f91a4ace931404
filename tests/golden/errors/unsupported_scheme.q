-- A LOCATION of a scheme that is not read yet.
CREATE EXTERNAL TABLE x (a INT) LOCATION 'hdfs://bucket/logs/';
SELECT a FROM x;
