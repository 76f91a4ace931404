-- DISTINCT rows ascend, with NULL first.
source data/tables.q;
SELECT DISTINCT dept FROM emp;
SELECT DISTINCT edge, status FROM hits;
SELECT DISTINCT salary > 4000 FROM emp;
