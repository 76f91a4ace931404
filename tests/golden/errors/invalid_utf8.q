-- logq.invalid_utf8=fail: bytes that are not UTF-8 stop the job.
-- FILE data/d/log
-- >fine\x0aa\xff\x0a
SET logq.invalid_utf8=fail;
CREATE EXTERNAL TABLE d (x STRING) LOCATION 'data/d';
SELECT x FROM d;
