-- A string compared with a number is compared as a number; what is no number compares as NULL.
SELECT '10' > 9, '2' > 10, 'x' > 1, '1.0' = 1, '' = 0, 10 = '10 ';
