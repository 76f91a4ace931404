-- Hive's FROM before SELECT.
source data/tables.q;
FROM emp SELECT id, name WHERE id < 3;
FROM (SELECT id FROM emp) x SELECT max(x.id);
