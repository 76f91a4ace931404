-- Rows of outer joins keep the order of the files within a shuffle partition, those without a partner too.
-- MODES default one_thread threads_8 tiny_splits spill: the pipelined executor takes rows as they come
-- FILE data/l/a.txt
-- *6 >3 c\x0a1 a\x0a9 i\x0a2 b\x0a\N n\x0a
-- FILE data/r/a.txt
-- |2 two
-- |3 three
-- |7 seven
-- |2 zwei
CREATE EXTERNAL TABLE l (n INT, v STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY ' ' LOCATION 'data/l';
CREATE EXTERNAL TABLE r (n INT, v STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY ' ' LOCATION 'data/r';
SELECT l.v, r.v FROM l LEFT JOIN r ON l.n = r.n;
SELECT l.v, r.v FROM l RIGHT JOIN r ON l.n = r.n;
SELECT l.v, r.v FROM l FULL JOIN r ON l.n = r.n;
SELECT l.v, r.v FROM l FULL JOIN r ON l.n = r.n LIMIT 8;
SELECT count(*), count(r.v) FROM l LEFT JOIN r ON l.n = r.n;
