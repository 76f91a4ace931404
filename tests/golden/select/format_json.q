-- JSON: an array of objects, with numbers, booleans and null of its own.
-- ARGS --format json
source data/tables.q;
SELECT id, name, salary / 2 AS half, id = 1 AS first, hired FROM emp ORDER BY id LIMIT 2;
SELECT 1 AS a WHERE false;
