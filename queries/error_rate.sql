-- In which hours do requests fail, and whose fault is it?
-- 4xx is the viewer's, 5xx the origin's or CloudFront's. The worst hours come first.

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

INSERT OVERWRITE DIRECTORY '${OUTPUT}/error_rate/'
ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t'
SELECT
  `date`,
  hour_utc,
  requests,
  client_errors,
  server_errors,
  round(100 * client_errors / requests, 2) AS client_error_percent,
  round(100 * server_errors / requests, 2) AS server_error_percent
FROM (
  SELECT
    `date`,
    substr(`time`, 1, 2) AS hour_utc,
    COUNT(*) AS requests,
    SUM(CASE WHEN sc_status BETWEEN 400 AND 499 THEN 1 ELSE 0 END) AS client_errors,
    SUM(CASE WHEN sc_status BETWEEN 500 AND 599 THEN 1 ELSE 0 END) AS server_errors
  FROM cloudfront_standard_logs
  GROUP BY `date`, substr(`time`, 1, 2)
) per_hour
WHERE client_errors + server_errors > 0
ORDER BY server_error_percent DESC, client_error_percent DESC, `date`, hour_utc
LIMIT 24;
