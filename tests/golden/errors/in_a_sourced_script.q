-- An error in a script that another one reads: its name and its line.
-- FILE inner.q
-- |-- a comment
-- |SELECT 1;
-- |SELECT nope;
SELECT 0;
source inner.q;
SELECT 2;
