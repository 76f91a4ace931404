-- DESCRIBE of a view whose query means nothing any more says why; a column that a view does not have.
SET hive.cli.errors.ignore=true;
source data/tables.q;
CREATE VIEW v AS SELECT title FROM dept;
DESCRIBE v title2;
DROP TABLE dept;
DESCRIBE v;
SHOW COLUMNS IN v;
