-- Windows whose orders contain each other: one is sorted for, the other finds its rows in order after a shuffle.
source data/tables.q;
SELECT dept, salary, sum(salary) OVER (PARTITION BY dept ORDER BY salary),
  avg(salary) OVER (ORDER BY dept, salary ROWS BETWEEN 1 PRECEDING AND CURRENT ROW),
  row_number() OVER (PARTITION BY dept ORDER BY salary DESC, id) FROM emp ORDER BY dept, salary;
SELECT dept, rank() OVER (PARTITION BY dept ORDER BY salary), count(*) OVER (ORDER BY dept, salary), count(*) OVER (PARTITION BY dept, salary)
FROM emp ORDER BY dept, salary;
