-- Rows that ORDER BY finds equal stay as they lie in the files: the same bytes at any number of tasks.
-- FILE data/m/a.log
-- |1,z
-- |1,\N
-- |0,b
-- |1,a
-- |0,a
CREATE EXTERNAL TABLE m (n INT, k STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/m';
SELECT n, k FROM m ORDER BY n;
SELECT n, k FROM m ORDER BY n DESC;
