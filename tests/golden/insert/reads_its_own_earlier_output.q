-- A table over the output of an earlier statement: _SUCCESS is hidden from it.
source data/tables.q;
INSERT OVERWRITE DIRECTORY 'out/a' SELECT edge, count(*) FROM hits GROUP BY edge;
CREATE EXTERNAL TABLE a (edge STRING, n BIGINT) LOCATION 'out/a';
INSERT OVERWRITE DIRECTORY 'out/b' SELECT n, edge FROM a;
