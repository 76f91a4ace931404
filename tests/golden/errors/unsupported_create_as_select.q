-- CREATE TABLE … AS SELECT.
source data/tables.q;
CREATE TABLE x AS SELECT * FROM emp;
