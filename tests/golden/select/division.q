-- int / int is a double, DIV cuts, a division by zero is NULL, and % keeps the sign of the dividend.
SELECT 7 / 2, 4 / 2, 7 DIV 2, -7 DIV 2, 7 % 3, -7 % 3, pmod(-7, 3), 1 / 0, 1 % 0, 1.5D / 0.5D;
