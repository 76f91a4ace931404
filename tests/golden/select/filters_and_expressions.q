-- WHERE, arithmetic, comparison with NULL, BETWEEN, IN, LIKE, CASE.
source data/tables.q;
SELECT id, name FROM emp WHERE salary > 3500 AND dept = 10 ORDER BY id;
SELECT id FROM emp WHERE salary <> 4000 ORDER BY id;
SELECT id FROM emp WHERE NOT (dept = 20) ORDER BY id;
SELECT id, CASE WHEN salary IS NULL THEN 'none' WHEN salary >= 5000 THEN 'high' ELSE 'low' END FROM emp ORDER BY id;
SELECT id FROM emp WHERE name LIKE '%a%' OR name IN ('eve', 'x') ORDER BY id;
SELECT id FROM emp WHERE id BETWEEN 2 AND 3 OR dept IS NULL ORDER BY id;
