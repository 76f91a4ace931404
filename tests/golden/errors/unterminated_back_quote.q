-- A back-quoted name that is not closed.
SELECT `a FROM t;
