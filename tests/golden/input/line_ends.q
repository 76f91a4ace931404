-- LF, CR and CRLF end lines, mixed in one file; the last line needs none.
-- FILE data/d/log
-- >a\x0ab\x0d\x0ac\x0dd\x0d\x0d\x0ae
CREATE EXTERNAL TABLE d (k STRING) LOCATION 'data/d';
SELECT k, length(k) FROM d;
