-- Decimal arithmetic: precision and scale as in Hive's table, rounding half up, NULL for what 38 digits do not hold.
-- FILE data/d/log
-- |1,12.34,0.5,3
-- |2,-99.99,0.25,0
-- |3,0.01,999.125,-7
-- |4,\N,1,2
CREATE EXTERNAL TABLE d (k INT, a DECIMAL(4,2), b DECIMAL(7,3), i INT)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/d';
CREATE VIEW operations AS SELECT a + b AS plus, a - b AS minus, a * b AS times, a / b AS divided, a % b AS rest,
  pmod(a, b) AS positive_rest, -a AS negated, abs(a) AS absolute FROM d;
DESCRIBE operations;
SELECT * FROM operations;
-- With an int, a bigint literal, a float and a string.
CREATE VIEW others AS SELECT a + i AS with_int, a * 2L AS with_bigint, i / a AS int_by_decimal, a + CAST(0.5 AS FLOAT) AS with_float,
  a + '1' AS with_string, a + 1.50 AS with_literal, a + 1Y AS with_tinyint FROM d;
DESCRIBE others;
SELECT * FROM others;
-- By zero; rounding; digits that are cut and digits that do not fit.
SELECT a / 0, a % 0.0, pmod(a, 0BD), 1 / 3BD, 2BD / 3, -2BD / 3, 0.125 * 0.5 FROM d WHERE k = 1;
SELECT CAST('99999999999999999999999999999999999999' AS DECIMAL(38,0)) + 1,
  CAST('99999999999999999999999999999999999999' AS DECIMAL(38,0)) * 10,
  CAST('12345678901234567890.1234567890' AS DECIMAL(30,10)) * CAST('1.00000000000000000001' AS DECIMAL(30,20)),
  CAST(123.456 AS DECIMAL(5,2)), CAST(1234.5 AS DECIMAL(5,2)), CAST(0.005 AS DECIMAL(3,2)), CAST(-0.005 AS DECIMAL(3,2));
CREATE VIEW cut AS SELECT CAST(1 AS DECIMAL(38,10)) + CAST(1 AS DECIMAL(38,10)) AS plus, CAST(1 AS DECIMAL(38,20)) * CAST(1 AS DECIMAL(38,20)) AS times,
  CAST(1 AS DECIMAL(38,5)) / CAST(3 AS DECIMAL(20,10)) AS divided, CAST(7 AS DECIMAL(38,0)) % CAST(4 AS DECIMAL(38,38)) AS rest,
  pmod(CAST(7 AS DECIMAL(38,0)), CAST(0.3 AS DECIMAL(38,30))) AS positive_rest;
DESCRIBE cut;
SELECT * FROM cut;
-- Aggregates.
CREATE VIEW totals AS SELECT sum(a) AS s, avg(a) AS v, min(a) AS mi, max(b) AS ma, count(a) AS n, sum(a * b) AS products,
  avg(CAST(a AS DECIMAL(38,36))) AS wide_average, stddev_pop(a) AS deviation, sum(DISTINCT b) AS distinct_sum FROM d;
DESCRIBE totals;
SELECT * FROM totals;
-- Comparisons and roundings.
SELECT k, a = 12.340, a < b, a IN (0.01, 12.34), greatest(a, b), round(a, 1), round(a), floor(a), ceil(b), bround(b, 1), CAST(b AS INT) FROM d;
CREATE VIEW literals AS SELECT 0.05 AS small, 1.50 AS half, 100.0 AS hundred, 1BD AS one, 12345678901234567890 AS long_one,
  round(12.345, 2) AS rounded, round(12.345) AS whole, if(true, 1.5, 22.25) AS widest, coalesce(1.5, 2) AS with_int;
DESCRIBE literals;
SELECT * FROM literals;
