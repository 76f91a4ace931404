-- How much does the cache answer by itself, day by day?
-- In requests and in bytes. Errors and redirects say nothing about the cache and are left out.

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

INSERT OVERWRITE DIRECTORY '${OUTPUT}/cache_hit_ratio/'
ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t'
SELECT
  `date`,
  COUNT(*) AS requests,
  SUM(CASE WHEN x_edge_result_type IN ('Hit', 'RefreshHit') THEN 1 ELSE 0 END) AS hits,
  round(100 * SUM(CASE WHEN x_edge_result_type IN ('Hit', 'RefreshHit') THEN 1 ELSE 0 END) / COUNT(*), 2)
    AS hit_percent,
  round(100 * SUM(CASE WHEN x_edge_result_type IN ('Hit', 'RefreshHit') THEN sc_bytes ELSE 0 END)
    / NULLIF(SUM(sc_bytes), 0), 2) AS byte_hit_percent
FROM cloudfront_standard_logs
WHERE x_edge_result_type IN ('Hit', 'RefreshHit', 'Miss')
GROUP BY `date`
ORDER BY `date`;
