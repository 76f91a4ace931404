-- Several COUNT(DISTINCT) of one GROUP BY: by keys that are columns, expressions, NULL or none; beside MIN and MAX, which they allow, and count(*), which they do not.
-- FILE data/views/a
-- >2014-07-05\x01lax\x01/a\x01200\x011.5\x0a
-- >2014-07-05\x01sfo\x01/a\x01200\x012.5\x0a
-- >2014-07-05\x01lax\x01/b\x01404\x01\N\x0a
-- >2014-07-06\x01\N\x01/a\x01200\x010.5\x0a
-- >2014-07-06\x01\N\x01/c\x01\N\x010.0\x0a
-- FILE data/views/b
-- >2014-07-06\x01\N\x01\N\x01200\x010.0\x0a
-- >\N\x01jfk\x01/a\x01200\x01NaN\x0a
-- >\N\x01jfk\x01/a\x01500\x01NaN\x0a
-- >\N\x01lax\x01/d\x01500\x017.25\x0a
CREATE EXTERNAL TABLE views (day date, location string, uri string, status int, seconds double) LOCATION 'data/views';

SELECT day, count(DISTINCT location), count(DISTINCT uri) FROM views GROUP BY day ORDER BY day;

-- Groups come in the order of their keys without ORDER BY, too.
SELECT substr(uri, 2), status >= 400, count(DISTINCT day) AS days, count(DISTINCT location) AS locations, count(DISTINCT status + 1)
FROM views GROUP BY substr(uri, 2), status >= 400;

-- No keys, and no rows.
SELECT count(DISTINCT location), count(DISTINCT uri), count(DISTINCT seconds) FROM views;
SELECT count(DISTINCT location), count(DISTINCT uri) FROM views WHERE status = 1;
SELECT day, count(DISTINCT location), count(DISTINCT uri) FROM views WHERE status = 1 GROUP BY day;

-- The same argument twice, and with MIN and MAX.
SELECT day, count(DISTINCT uri), min(status), count(DISTINCT status), max(location), count(DISTINCT uri) + 1, min(uri)
FROM views GROUP BY day ORDER BY day;

-- Counted once for each row.
SELECT day, count(DISTINCT uri), count(*), count(DISTINCT status), sum(status) FROM views GROUP BY day ORDER BY day;

-- In HAVING and in a subquery.
SELECT max(locations) FROM (
  SELECT day, count(DISTINCT location) AS locations, count(DISTINCT uri) AS uris FROM views GROUP BY day
  HAVING count(DISTINCT status) > 1
) per_day;
