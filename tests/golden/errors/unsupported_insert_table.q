-- INSERT INTO a table.
source data/tables.q;
INSERT OVERWRITE TABLE dept SELECT 1, 'x' FROM emp;
