-- serialization.null.format is the same as a serde property.
-- FILE data/d/log
-- |-,1
-- |a,-
CREATE EXTERNAL TABLE d (k STRING, n INT) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe'
WITH SERDEPROPERTIES ('field.delim' = ',', 'serialization.null.format' = '-') LOCATION 'data/d';
SELECT * FROM d;
