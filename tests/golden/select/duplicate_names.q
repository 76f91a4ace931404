-- Two columns of one name are no error as long as nobody asks for one of them.
-- ARGS --header
source data/tables.q;
SELECT id, id, name AS id FROM emp WHERE id = 2;
SELECT id FROM (SELECT id, name, salary AS id2 FROM emp) e WHERE id = 2;
