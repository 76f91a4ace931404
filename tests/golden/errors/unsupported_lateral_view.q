-- LATERAL VIEW.
source data/tables.q;
SELECT id, word FROM emp LATERAL VIEW explode(split(name, '')) w AS word;
