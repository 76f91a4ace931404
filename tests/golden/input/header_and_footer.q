-- skip.header.line.count and skip.footer.line.count leave out lines of every file.
-- FILE data/m/a.log
-- |#Version: 1.0
-- |#Fields: k
-- |a1
-- |a2
-- |total 2
-- FILE data/m/b.log.gz
-- |#Version: 1.0
-- |#Fields: k
-- |b1
-- |total 1
-- FILE data/m/c.log
-- |#Version: 1.0
-- |total 0
CREATE EXTERNAL TABLE m (k STRING) LOCATION 'data/m'
TBLPROPERTIES ('skip.header.line.count' = '2', 'skip.footer.line.count' = '1');
SELECT k FROM m;
