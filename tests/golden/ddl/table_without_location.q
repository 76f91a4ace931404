-- A table without LOCATION is empty.
CREATE TABLE t (x INT);
SELECT count(*) FROM t;
