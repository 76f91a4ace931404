-- serialization.null.format works as a table property and as a serde property.
-- FILE data/d/log
-- |-,1
-- |a,-
CREATE EXTERNAL TABLE d (k STRING, n INT) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe'
WITH SERDEPROPERTIES ('field.delim' = ',', 'serialization.null.format' = '-') LOCATION 'data/d';
SELECT * FROM d;
CREATE EXTERNAL TABLE e (k STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY ','
LOCATION 'data/d' TBLPROPERTIES ('serialization.null.format' = '-');
SELECT * FROM e;
