-- Sums of doubles are rounded once, so they do not depend on how the rows were divided; nor does percentile_approx.
-- FILE data/points/a.txt
-- *40 >0,0.1,1\x0a1,0.3,2.25\x0a0,1e16,3\x0a
-- *40 >1,0.7,3.1\x0a0,-1e16,4\x0a1,1e-9,5.5\x0a
-- >2,5,\x0a3,inf,1\x0a3,1,2\x0a
-- FILE data/many/a.txt
-- *6000 >\x0a
CREATE EXTERNAL TABLE points (k INT, x DOUBLE, y DOUBLE) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/points';
SELECT k, sum(x), avg(x), sum(y), count(y) FROM points GROUP BY k;
SELECT k, stddev(y), var_samp(y), covar_samp(x, y), corr(x, y) FROM points GROUP BY k;
SELECT sum(x) OVER (PARTITION BY k ORDER BY y, x ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM points WHERE k = 2;
SELECT stddev(x), variance(x), corr(x, x), corr(x, 1.5) FROM points WHERE x = 0.1;
CREATE EXTERNAL TABLE many (line STRING) LOCATION 'data/many';
-- More distinct values than the histogram keeps.
SELECT round(percentile_approx(v, 0.5), 0), percentile_approx(v, 0.5) = percentile_approx(v, 0.5, 100)
FROM (SELECT row_number() OVER (ORDER BY a.line) / 7 AS v FROM many a CROSS JOIN (SELECT 1 UNION ALL SELECT 2) b) t;
