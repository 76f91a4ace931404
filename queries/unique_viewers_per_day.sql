-- How many viewers come each day, and how many of them for the first time in these logs?
-- A viewer is an address, which is right for a house and wrong for an office.

CREATE EXTERNAL TABLE IF NOT EXISTS cloudfront_standard_logs (
  `date` DATE,
  `time` STRING,
  x_edge_location STRING,
  sc_bytes BIGINT,
  c_ip STRING,
  cs_method STRING,
  cs_host STRING,
  cs_uri_stem STRING,
  sc_status INT,
  cs_referrer STRING,
  cs_user_agent STRING,
  cs_uri_query STRING,
  cs_cookie STRING,
  x_edge_result_type STRING,
  x_edge_request_id STRING,
  x_host_header STRING,
  cs_protocol STRING,
  cs_bytes BIGINT,
  time_taken DOUBLE,
  x_forwarded_for STRING,
  ssl_protocol STRING,
  ssl_cipher STRING,
  x_edge_response_result_type STRING,
  cs_protocol_version STRING,
  fle_status STRING,
  fle_encrypted_fields INT,
  c_port INT,
  time_to_first_byte DOUBLE,
  x_edge_detailed_result_type STRING,
  sc_content_type STRING,
  sc_content_len BIGINT,
  sc_range_start BIGINT,
  sc_range_end BIGINT
)
ROW FORMAT DELIMITED
  FIELDS TERMINATED BY '\t'
  NULL DEFINED AS '-'
LOCATION '${INPUT}/standard'
TBLPROPERTIES ('skip.header.line.count' = '2');

INSERT OVERWRITE DIRECTORY '${OUTPUT}/unique_viewers_per_day/'
ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t'
SELECT
  visits.`date` AS visit_date,
  COUNT(*) AS viewers,
  SUM(CASE WHEN visits.`date` = firsts.first_date THEN 1 ELSE 0 END) AS new_viewers,
  SUM(visits.requests) AS requests
FROM (
  SELECT `date`, c_ip, COUNT(*) AS requests
  FROM cloudfront_standard_logs
  GROUP BY `date`, c_ip
) visits
JOIN (
  SELECT c_ip, MIN(`date`) AS first_date
  FROM cloudfront_standard_logs
  GROUP BY c_ip
) firsts
ON visits.c_ip = firsts.c_ip
GROUP BY visits.`date`
ORDER BY visit_date;
