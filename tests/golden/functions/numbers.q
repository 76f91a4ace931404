-- Rounding and arithmetic functions.
SELECT round(2.5D), round(-2.5D), round(1.25D, 1), floor(-1.5D), ceil(1.2D), abs(-3), pow(2, 10), sqrt(16), greatest(1, 3, 2), least(1, NULL),
  conv('ff', 16, 10), hex(255), hex('a'), unhex('61'), bin(5);
