-- NULLs come first ascending and last descending; NULLS FIRST and LAST say otherwise.
source data/tables.q;
SELECT id, salary FROM emp ORDER BY salary, id;
SELECT id, salary FROM emp ORDER BY salary DESC, id DESC;
SELECT id, salary FROM emp ORDER BY salary NULLS LAST, id;
SELECT id, salary FROM emp ORDER BY salary DESC NULLS FIRST, id;
