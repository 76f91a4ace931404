-- ADD JAR, LIST JARS, DELETE JAR, RELOAD and Hive's own settings are taken.
ADD JAR s3://bucket/x.jar;
ADD FILE script.py;
LIST JARS;
DELETE JAR x.jar;
SET hive.exec.dynamic.partition.mode=nonstrict;
SET mapreduce.job.queuename=default;
SELECT 1;
