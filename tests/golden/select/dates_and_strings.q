-- A DATE compares with a string; a column that was NULL stays out.
source data/tables.q;
SELECT id FROM emp WHERE hired = '2014-02-01' ORDER BY id;
SELECT id FROM emp WHERE hired > '2014-02-01' ORDER BY id;
SELECT id FROM emp WHERE hired BETWEEN '2014-01-01' AND '2014-02-01' ORDER BY id;
SELECT id FROM emp WHERE hired IN ('2014-01-03', '2014-07-05') ORDER BY id;
SELECT id FROM emp WHERE hired <> '2014-02-01' ORDER BY id;
