-- A word where another was expected.
SELECT a FORM t;
