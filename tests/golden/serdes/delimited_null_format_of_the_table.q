-- serialization.null.format works as a table property, too.
-- FILE data/d/log
-- |-,1
-- |a,-
CREATE EXTERNAL TABLE d (k STRING, n INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/d'
TBLPROPERTIES ('serialization.null.format' = '-');
SELECT * FROM d;
