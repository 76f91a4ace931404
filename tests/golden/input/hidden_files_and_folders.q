-- Names that start with `_` or `.` are hidden, folders too; other sub-folders are read, and so are *.tmp files.
-- FILE data/m/_SUCCESS
-- |hidden
-- FILE data/m/.part.crc
-- |hidden
-- FILE data/m/_temporary/0/log
-- |hidden
-- FILE data/m/a.tmp
-- |a.tmp
-- FILE data/m/sub/deep/b.log
-- |sub/deep/b.log
CREATE EXTERNAL TABLE m (k STRING) LOCATION 'data/m';
SELECT k FROM m;
