-- A script that ends inside a string.
SELECT 1;
SELECT 'abc
FROM t;
