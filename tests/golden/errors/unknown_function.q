-- A function that is not there.
SELECT lenght('abc');
