-- More groups than one batch holds, through the shuffle, in order.
-- FILE data/n/log
-- *7 >1\x0a12\x0a3\x0a25\x0a2\x0a\N\x0a100\x0a-5\x0a40\x0a11\x0a
CREATE EXTERNAL TABLE n (n INT) LOCATION 'data/n';
SELECT n, count(*) FROM n GROUP BY n;
