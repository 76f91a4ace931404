-- TSV with another text for NULL, and a header.
-- ARGS --null \N --header
source data/tables.q;
SELECT id, name, dept FROM emp WHERE id > 3 ORDER BY id;
