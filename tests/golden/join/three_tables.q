-- Three tables, grouped afterwards.
source data/tables.q;
SELECT d.title, count(*), sum(e.salary) FROM emp e JOIN dept d ON e.dept = d.id JOIN emp boss ON boss.id = 1
GROUP BY d.title;
