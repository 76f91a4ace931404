-- DESCRIBE, SHOW COLUMNS and SHOW CREATE TABLE of a view: the columns of its query, without their comments.
source data/tables.q;
CREATE EXTERNAL TABLE c (k INT COMMENT 'the key', v VARCHAR(10), n DECIMAL(5,2)) LOCATION 'data/c';
CREATE VIEW paid AS SELECT e.id, name AS Who, salary * 2 AS twice, salary / 2, hired, count(*) OVER () AS n FROM emp e;
CREATE VIEW all_of_c AS SELECT *, 1.5BD AS x FROM c;
CREATE VIEW of_views AS SELECT p.who, c.v FROM paid p JOIN all_of_c c ON p.id = c.k;
DESCRIBE paid;
DESC all_of_c;
DESCRIBE of_views;
DESC all_of_c k;
SHOW COLUMNS IN paid;
SHOW CREATE TABLE all_of_c;
