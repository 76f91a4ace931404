-- Hive's DISTRIBUTE BY … SORT BY inside OVER.
source data/tables.q;
SELECT id, row_number() OVER (DISTRIBUTE BY dept SORT BY id DESC) FROM emp ORDER BY id;
