-- HAVING over the one global group.
source data/tables.q;
SELECT count(*) FROM hits HAVING count(*) > 5;
SELECT count(*) FROM hits HAVING count(*) > 50;
