-- A WITH before INSERT.
source data/tables.q;
WITH x AS (SELECT dept, count(*) AS n FROM emp GROUP BY dept) INSERT OVERWRITE DIRECTORY 'out/x' SELECT n, dept FROM x WHERE dept IS NOT NULL;
