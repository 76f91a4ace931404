-- A database that is not there.
SELECT * FROM nope.t;
