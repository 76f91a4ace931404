-- sum and avg of decimals: Hive's types, exact, rounded half up, NULL for what 38 digits do not hold; also DISTINCT and OVER.
-- FILE data/d/log
-- |a,1.00,99999999999999999999999999999999999999
-- |a,1.00,1
-- |b,2.00,-5
-- |b,0.01,99999999999999999999999999999999999999
-- |b,\N,-1
-- |c,\N,\N
CREATE EXTERNAL TABLE d (g STRING, x DECIMAL(3,2), y DECIMAL(38,0))
ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/d';
SELECT g, sum(x), avg(x), sum(y), avg(y), count(x) FROM d GROUP BY g;
SELECT sum(x), avg(x), sum(DISTINCT x), avg(DISTINCT x), count(DISTINCT x), sum(DISTINCT x * 10) FROM d;
SELECT g, sum(DISTINCT x), avg(DISTINCT x) FROM d GROUP BY g;
SELECT g, x, sum(x) OVER (PARTITION BY g ORDER BY x), avg(x) OVER (ORDER BY g, x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM d ORDER BY g, x;
SELECT avg(1BD / 3), avg(CAST(2 AS DECIMAL(38,38))), sum(0.5 * x) FROM d;
SELECT avg(v) FROM (SELECT 0.1 AS v UNION ALL SELECT 0.1 UNION ALL SELECT 0.2) t;
