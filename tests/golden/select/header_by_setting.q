-- Hive's hive.cli.print.header works from the middle of a script.
SELECT 1 AS a;
SET hive.cli.print.header=true;
SELECT 2 AS b;
