-- The tutorial's variant with a 14th column from an alternative at the end of the line.
-- ARGS -d INPUT=data/v7 -d OUTPUT=out/v7
-- FILE data/v7/log
-- |2014-07-05	20:00:00	LHR3	4260	10.0.0.15	GET	h.cloudfront.net	/a.jpeg	200	-	Mozilla/5.0%20(MacOS;%20U)%20Gecko/1%20IE/3.0.9	success
-- |2014-07-05	20:00:00	LHR3	4260	10.0.0.15	GET	h.cloudfront.net	/a.jpeg	500	-	Mozilla/5.0%20(Linux;%20U)%20Gecko/1%20IE/3.0.9	error
-- |2014-07-05	20:00:00	LHR3	4260	10.0.0.15	GET	h.cloudfront.net	/a.jpeg	500	-	Mozilla/5.0%20(Linux;%20U)%20Gecko/1%20IE/3.0.9	maybe
CREATE EXTERNAL TABLE IF NOT EXISTS cloudfront_logs (
  DateObject Date, Time STRING, Location STRING, Bytes INT, RequestIP STRING, Method STRING, Host STRING, Uri STRING,
  Status INT, Referrer STRING, OS String, Browser String, BrowserVersion String, StatusOutcome String)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES (
  "input.regex" = "^(?!#)([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+[^\(]+[\(]([^\;]+).*\%20([^\/]+)[\/](.*)\\s+(success|error)$"
) LOCATION '${INPUT}';
INSERT OVERWRITE DIRECTORY '${OUTPUT}' SELECT statusoutcome, os, browserversion, COUNT(*) FROM cloudfront_logs
GROUP BY statusoutcome, os, browserversion;
