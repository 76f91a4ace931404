-- A result without rows: no data file, as Hive on Tez.
source data/tables.q;
INSERT OVERWRITE DIRECTORY 'out/none' SELECT id FROM emp WHERE id > 100;
INSERT OVERWRITE DIRECTORY 'out/none_grouped' SELECT dept, count(*) FROM emp WHERE id > 100 GROUP BY dept;
