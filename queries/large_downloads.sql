-- Which large files use the bandwidth, and how fast do they go out?
-- Responses of a megabyte or more. Players and download managers ask for parts (206), so requests are not downloads.

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

INSERT OVERWRITE DIRECTORY '${OUTPUT}/large_downloads/'
ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t'
SELECT
  cs_uri_stem,
  COUNT(*) AS requests,
  SUM(CASE WHEN sc_status = 206 THEN 1 ELSE 0 END) AS partial_requests,
  SUM(sc_bytes) AS bytes,
  round(SUM(sc_bytes) * 8 / NULLIF(SUM(CAST(round(time_taken * 1000) AS BIGINT)) * 1000, 0), 1) AS mbit_per_second
FROM cloudfront_standard_logs
WHERE sc_bytes >= 1000000
GROUP BY cs_uri_stem
ORDER BY bytes DESC, cs_uri_stem
LIMIT 20;
