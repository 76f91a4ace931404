-- count, sum, avg, min, max: NULLs do not take part; a group of NULLs gives NULL.
source data/tables.q;
SELECT count(*), count(salary), sum(salary), avg(salary), min(salary), max(salary), min(name), max(hired) FROM emp;
SELECT dept, count(*), count(salary), sum(salary), avg(salary) FROM emp GROUP BY dept;
