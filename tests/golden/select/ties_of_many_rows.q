-- Rows that ORDER BY finds equal stay as they lie in the files, also when many tasks are merged.
-- FILE data/t/a.txt
-- *40 >1,0\x0a2,1\x0a3,0\x0a4,1\x0a
CREATE EXTERNAL TABLE t (id INT, v INT) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/t';
SELECT id, v FROM t ORDER BY v;
SELECT id, row_number() OVER (ORDER BY v) FROM t;
SELECT id FROM t ORDER BY v DESC LIMIT 5;
