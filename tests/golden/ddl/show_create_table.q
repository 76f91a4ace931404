-- SHOW CREATE TABLE prints a statement that makes the same table.
CREATE EXTERNAL TABLE r (n INT COMMENT 'a number', word STRING) COMMENT 'words'
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "^(\\d+) '(\\w+)'$") LOCATION 'data/r' TBLPROPERTIES ('skip.header.line.count' = '1');
SHOW CREATE TABLE r;
CREATE EXTERNAL TABLE d (k STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t' ESCAPED BY '\\' NULL DEFINED AS '-' LOCATION 'data/d';
SHOW CREATE TABLE d;
