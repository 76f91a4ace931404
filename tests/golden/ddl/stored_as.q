-- STORED AS TEXTFILE and the text classes by name.
CREATE EXTERNAL TABLE a (x STRING) STORED AS TEXTFILE LOCATION 'data/dept';
CREATE EXTERNAL TABLE b (x STRING) STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat' LOCATION 'data/dept';
SELECT count(*) FROM a;
SELECT count(*) FROM b;
