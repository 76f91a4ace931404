-- A string key meets a number key: compared as numbers.
-- FILE data/s/log
-- |10,ten
-- |020,twenty
-- |x,none
CREATE EXTERNAL TABLE s (id STRING, word STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/s';
source data/tables.q;
SELECT dept.id, s.word FROM dept JOIN s ON dept.id = s.id ORDER BY dept.id;
