-- All members of a gzip file are read, also empty ones; a line may span two.
-- FILE data/m/log.gz
-- |one
-- >tw
-- +
-- +
-- |o
-- |three
CREATE EXTERNAL TABLE m (k STRING) LOCATION 'data/m';
SELECT k FROM m;
