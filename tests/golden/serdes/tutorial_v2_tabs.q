-- The tutorial's text of 2018: TAB indents, blanks at the ends of lines, `/` behind LOCATION.
-- ARGS -d INPUT=data -d OUTPUT=out

-- Summary: This sample shows you how to analyze CloudFront logs stored in S3 using Hive

-- Create table using sample data in S3.  Note: you can replace this S3 path with your own.
CREATE EXTERNAL TABLE IF NOT EXISTS cloudfront_logs (   
	DateObject Date,   
	Time STRING,   
	Location STRING,   
	Bytes INT,   
	RequestIP STRING,   
	Method STRING,   
	Host STRING,   
	Uri STRING,   
	Status INT,   
	Referrer STRING,   
	OS String,   
	Browser String,    
	BrowserVersion String   
)   
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'   
WITH SERDEPROPERTIES (   
	"input.regex" = "^(?!#)([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+([^ ]+)\\s+[^\(]+[\(]([^\;]+).*\%20([^\/]+)[\/](.*)$"   
) LOCATION '${INPUT}/cloudfront/data/';   

-- Total requests per operating system for a given time frame
INSERT OVERWRITE DIRECTORY '${OUTPUT}/os_requests/' SELECT os, COUNT(*) count FROM cloudfront_logs WHERE dateobject BETWEEN '2014-07-05' AND '2014-08-05' GROUP BY os;   
