-- What kinds of content go out?
-- By content type: requests, bytes, share of all bytes and the mean size of a response.

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

INSERT OVERWRITE DIRECTORY '${OUTPUT}/content_types/'
ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t'
SELECT
  content_type,
  requests,
  bytes,
  round(100 * bytes / NULLIF(SUM(bytes) OVER (), 0), 2) AS byte_percent,
  CAST(round(bytes / requests) AS BIGINT) AS mean_bytes
FROM (
  SELECT
    COALESCE(sc_content_type, 'none') AS content_type,
    COUNT(*) AS requests,
    SUM(sc_bytes) AS bytes
  FROM cloudfront_standard_logs
  GROUP BY COALESCE(sc_content_type, 'none')
) types
ORDER BY bytes DESC, content_type;
