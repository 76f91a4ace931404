-- A view is its query; a view over a view; DROP VIEW.
source data/tables.q;
CREATE VIEW paid AS SELECT id, salary FROM emp WHERE salary IS NOT NULL;
CREATE VIEW IF NOT EXISTS rich AS SELECT id FROM paid WHERE salary > 4000;
SELECT * FROM rich ORDER BY id;
SHOW TABLES;
DROP VIEW rich;
DROP VIEW IF EXISTS rich;
SHOW TABLES;
