-- How do requests end: 2xx, 3xx, 4xx, 5xx?
-- CloudFront writes 000 when the viewer closed the connection before the answer; here that is `aborted`.

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

INSERT OVERWRITE DIRECTORY '${OUTPUT}/status_classes/'
ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t'
SELECT
  status_class,
  COUNT(*) AS requests,
  round(100 * COUNT(*) / SUM(COUNT(*)) OVER (), 2) AS request_percent,
  SUM(sc_bytes) AS bytes
FROM (
  SELECT
    CASE
      WHEN sc_status BETWEEN 200 AND 299 THEN '2xx'
      WHEN sc_status BETWEEN 300 AND 399 THEN '3xx'
      WHEN sc_status BETWEEN 400 AND 499 THEN '4xx'
      WHEN sc_status BETWEEN 500 AND 599 THEN '5xx'
      WHEN sc_status = 0 THEN 'aborted'
      ELSE 'other'
    END AS status_class,
    sc_bytes
  FROM cloudfront_standard_logs
) classified
GROUP BY status_class
ORDER BY status_class;
