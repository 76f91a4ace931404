-- The word stands behind a variable in the same line: its column is that of the script.
source data/tables.q;
SET hivevar:long_name=id, id, id, id;
SELECT ${long_name}, nmae FROM emp;
