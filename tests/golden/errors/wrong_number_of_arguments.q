-- A function with too few arguments.
SELECT 1;
SELECT substr('abc');
