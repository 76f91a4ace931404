-- RLIKE and REGEXP find a part, LIKE matches the whole.
SELECT 'abc' RLIKE 'b', 'abc' REGEXP '^b', 'abc' LIKE 'b', 'abc' LIKE '_b%', 'abc' NOT RLIKE 'x', NULL RLIKE 'x';
