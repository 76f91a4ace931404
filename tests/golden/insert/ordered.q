-- ORDER BY goes through one reducer: one file in total order.
source data/tables.q;
INSERT OVERWRITE DIRECTORY 'out/x' SELECT salary, id FROM emp ORDER BY salary DESC, id;
