-- hive.variable.substitute=false leaves `${…}` alone.
SET hivevar:x=1;
SET hive.variable.substitute=false;
SELECT '${x}';
