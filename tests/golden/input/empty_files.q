-- Empty files, compressed ones too, are no rows and no error.
-- FILE data/m/a.log
-- FILE! data/m/b.gz
-- FILE data/m/c.gz
-- FILE data/m/d.log
-- |row
CREATE EXTERNAL TABLE m (k STRING) LOCATION 'data/m';
SELECT k FROM m;
