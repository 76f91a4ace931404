-- A line over logq.max_line_bytes is skipped and counted; the others are read.
-- FILE data/d/log
-- |short
-- *30 >0123456789
-- >\x0a
-- |also short
SET logq.max_line_bytes=100;
CREATE EXTERNAL TABLE d (k STRING) LOCATION 'data/d';
SELECT k FROM d;
