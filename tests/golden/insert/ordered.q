-- ORDER BY goes through one reducer: one file in total order.
source data/tables.q;
INSERT OVERWRITE DIRECTORY 'out/x' SELECT salary, id FROM emp ORDER BY salary DESC, id;
-- Several tasks merge it, each for a range of keys, and it is one file all the same.
SET hive.exec.reducers.bytes.per.reducer=1;
INSERT OVERWRITE DIRECTORY 'out/ranges' SELECT salary, id FROM emp ORDER BY salary DESC, id;
