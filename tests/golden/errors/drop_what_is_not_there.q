-- DROP TABLE without IF EXISTS. Hive says nothing here; its `hive.exec.drop.ignorenonexistent` is true by default.
DROP TABLE nope;
DROP VIEW nope;
SELECT 'goes on';
