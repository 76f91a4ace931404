-- Plain, gzip, bzip2 and zstd files in one table; files are read in the order of their names.
-- FILE data/m/a.log
-- |plain
-- FILE data/m/b.log.gz
-- |gzip
-- FILE data/m/c.log.bz2
-- |bzip2
-- FILE data/m/d.log.zst
-- |zstd
CREATE EXTERNAL TABLE m (k STRING) LOCATION 'data/m';
SELECT k FROM m;
