-- LIMIT without ORDER BY takes the first rows of the input, in all modes.
-- ARGS -S
source data/tables.q;
SELECT id FROM emp LIMIT 3;
SELECT k FROM (SELECT id AS k FROM emp LIMIT 4) x WHERE k > 1;
