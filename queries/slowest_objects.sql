-- Which objects make viewers wait longest for the first byte?
-- Median, 95th and 99th percentile in seconds, for objects with enough requests to tell.

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

INSERT OVERWRITE DIRECTORY '${OUTPUT}/slowest_objects/'
ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t'
SELECT
  cs_uri_stem,
  requests,
  round(percentiles[0], 3) AS p50,
  round(percentiles[1], 3) AS p95,
  round(percentiles[2], 3) AS p99
FROM (
  SELECT
    cs_uri_stem,
    COUNT(*) AS requests,
    percentile_approx(time_to_first_byte, array(0.5, 0.95, 0.99)) AS percentiles
  FROM cloudfront_standard_logs
  WHERE sc_status BETWEEN 200 AND 299
  GROUP BY cs_uri_stem
) objects
WHERE requests >= 20
ORDER BY p95 DESC, cs_uri_stem
LIMIT 20;
