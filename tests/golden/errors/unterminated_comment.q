-- A comment that is not closed.
SELECT 1; /* and so
on
