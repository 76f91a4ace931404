-- The error is in the value of a variable: the place is that of the reference.
source data/tables.q;
SET hivevar:column=nmae;
SELECT id,
  ${column} FROM emp;
