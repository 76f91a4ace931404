-- Suffixes and exponents: L, S, Y, D, BD; a number with an exponent is a double, one with a point a decimal without its last zeros.
SELECT 5L, 4S, 3Y, 2D, 1BD, 127y, 1.5d;
SELECT 1e5, 1e-5D, 1E+3D, .5D, 1.5e3BD, 1e-5BD, 1.50BD, 1e40BD;
SELECT 1e0 / 4, -1e3, 2.50, 100.00, 0.05, 0.0, 9223372036854775807, 9223372036854775808;
-- The longest token wins: `1e-5` and then a name, and `2xx` is a name.
SELECT 1e-5L, `2xx`, 1.5L FROM (SELECT 7 AS 2xx) t;
