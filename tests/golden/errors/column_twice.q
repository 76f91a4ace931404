-- The same column twice, in another case.
CREATE EXTERNAL TABLE d (x STRING, y INT, X STRING) LOCATION 'data/dept';
