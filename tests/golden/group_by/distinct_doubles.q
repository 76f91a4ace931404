-- DISTINCT inside aggregates of doubles, alone and beside others.
-- FILE data/t/a.txt
-- *9 >1,1.5\x0a1,1.5\x0a1,3.5\x0a2,\N\x0a2,-2.25\x0a2,0.5\x0a
CREATE EXTERNAL TABLE t (g INT, d DOUBLE) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/t';
SELECT count(*), avg(DISTINCT d), sum(DISTINCT d), sum(d) FROM t;
SELECT g, count(*), stddev(DISTINCT d), sum(DISTINCT d) FROM t GROUP BY g;
SELECT count(DISTINCT g), sum(DISTINCT d), variance(DISTINCT g), avg(DISTINCT g) FROM t;
