-- logq.gzip.trailing=warn reads a gzip file with bytes behind its end, and makes no rows of them.
-- FILE data/m/log.gz
-- |row
-- APPEND data/m/log.gz trailing\x0a
SET logq.gzip.trailing=warn;
CREATE EXTERNAL TABLE m (k STRING) LOCATION 'data/m';
SELECT k FROM m;
