-- The Hive manual's regex for Apache logs: optional groups and quoted fields.
-- FILE data/r/log
-- |127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326
-- |127.0.0.1 - - [10/Oct/2000:13:55:37 -0700] "GET /x HTTP/1.0" 404 - "http://a/" "curl/7 (x; y)"
ADD JAR hive-contrib.jar;
CREATE EXTERNAL TABLE apachelog (host STRING, identity STRING, user STRING, time STRING, request STRING, status STRING,
  size STRING, referer STRING, agent STRING)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "([^ ]*) ([^ ]*) ([^ ]*) (-|\\[[^\\]]*\\]) ([^ \"]*|\"[^\"]*\") (-|[0-9]*) (-|[0-9]*)(?: ([^ \"]*|\".*\") ([^ \"]*|\".*\"))?")
STORED AS TEXTFILE LOCATION 'data/r';
SELECT * FROM apachelog;
