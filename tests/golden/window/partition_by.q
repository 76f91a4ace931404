-- Windows over partitions: NULL is a partition of its own.
source data/tables.q;
SELECT id, dept, count(*) OVER (PARTITION BY dept), sum(salary) OVER (PARTITION BY dept) FROM emp ORDER BY id;
