-- CSV: names in the first line, quotes where needed, NULL is empty.
-- ARGS --format csv
SELECT 1 AS n, 'a,b' AS comma, 'say "x"' AS quote, CAST(NULL AS STRING) AS nothing, '' AS empty, 'two\nlines' AS two;
