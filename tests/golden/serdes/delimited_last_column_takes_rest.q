-- serialization.last.column.takes.rest keeps the separators of what is left.
-- FILE data/d/log
-- |a b c d
-- |a
CREATE EXTERNAL TABLE d (k STRING, rest STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe'
WITH SERDEPROPERTIES ('field.delim' = ' ', 'serialization.last.column.takes.rest' = 'true') LOCATION 'data/d';
SELECT * FROM d;
