-- A table that is not there.
source data/tables.q;
SELECT * FROM depts;
