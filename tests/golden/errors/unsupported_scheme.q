-- A LOCATION of a scheme that is not read yet.
CREATE EXTERNAL TABLE x (a INT) LOCATION 's3://bucket/logs/';
SELECT a FROM x;
