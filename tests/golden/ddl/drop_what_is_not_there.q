-- DROP TABLE and DROP VIEW of what is not there are no errors: hive.exec.drop.ignorenonexistent is true by default.
DROP TABLE nope;
DROP VIEW nope;
SELECT 'goes on';
