-- EXPLAIN says that the tutorial's regex needs no regular-expression engine.
-- MODES default: the plan depends on the mode
-- FILE data/r/log
-- |2014-07-05	20:00:00	LHR3	4260	192.0.2.1	GET	h.example.com	/a.jpeg	200	-	Mozilla/5.0%20(MacOS;%20U)%20Gecko/1%20IE/3.0.9
CREATE EXTERNAL TABLE r (DateObject Date, Time STRING, Location STRING, Bytes INT, RequestIP STRING, Method STRING,
  Host STRING, Uri STRING, Status INT, Referrer STRING, OS String, Browser String, BrowserVersion String)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "^(?!#)([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+[^\(]+[\(]([^\;]+).*\%20([^\/]+)[\/](.*)$")
LOCATION 'data/r';
EXPLAIN SELECT os FROM r;
