-- A query without a shuffle keeps the order of files and lines.
-- FILE data/m/b.log
-- |b1
-- |b2
-- FILE data/m/a.log
-- |a2
-- |a1
CREATE EXTERNAL TABLE m (k STRING) LOCATION 'data/m';
SELECT k FROM m;
SELECT upper(k) FROM m WHERE k <> 'a2';
