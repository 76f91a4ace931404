-- CloudFront's standard format: gzip, two header lines, TAB-separated, `-` for what is not there.
-- FILE data/cf/E1.2014-07-05-20.abc.gz
-- |#Version: 1.0
-- |#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status
-- |2014-07-05	20:00:01	LHR3	500	10.0.0.1	GET	d1.cloudfront.net	/a	200
-- |2014-07-05	20:00:02	LHR3	-	10.0.0.2	GET	d1.cloudfront.net	/b	404
-- FILE data/cf/E1.2014-07-05-21.def.gz
-- |#Version: 1.0
-- |#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status
-- |2014-07-05	21:00:01	SEA4	70	10.0.0.1	GET	d1.cloudfront.net	/a	200
CREATE EXTERNAL TABLE cf (`date` DATE, time STRING, location STRING, bytes BIGINT, request_ip STRING, method STRING,
  host STRING, uri STRING, status INT)
ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t' LOCATION 'data/cf/' TBLPROPERTIES ('skip.header.line.count'='2');
SELECT status, count(*) AS n, sum(bytes) AS total FROM cf GROUP BY status;
SELECT uri, bytes FROM cf WHERE bytes IS NULL;
