-- FROM … INSERT … SELECT.
source data/tables.q;
FROM emp e JOIN dept d ON e.dept = d.id INSERT OVERWRITE DIRECTORY 'out/x' SELECT d.title, count(*) GROUP BY d.title;
