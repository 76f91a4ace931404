-- A number with a suffix must fit its type.
SET hive.cli.errors.ignore=true;
SELECT 127Y, 128Y;
SELECT 32768S;
SELECT 9223372036854775808L;
