-- Columns of complex types.
CREATE EXTERNAL TABLE x (a INT, tags MAP<STRING, INT>) LOCATION 'data/emp';
