-- DESCRIBE and DESC: names, types, comments, in lower case.
CREATE EXTERNAL TABLE d (Id INT COMMENT 'the key', t TINYINT, s SMALLINT, b BIGINT, f FLOAT, d DOUBLE, n DECIMAL(10,2), m DECIMAL,
  v VARCHAR(10), c CHAR(2), o BOOLEAN, bin BINARY, day DATE, ts TIMESTAMP) LOCATION 'data/dept';
DESCRIBE d;
DESC d id;
