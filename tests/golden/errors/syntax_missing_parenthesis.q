-- A parenthesis that is not closed.
SELECT 1;
SELECT upper('a'
FROM t;
