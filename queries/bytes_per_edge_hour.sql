-- How much does each edge location send in each hour?
-- The first three letters of a location are the code of the nearest airport; the rest is a building and a rack.

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

INSERT OVERWRITE DIRECTORY '${OUTPUT}/bytes_per_edge_hour/'
ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t'
SELECT
  `date`,
  substr(`time`, 1, 2) AS hour_utc,
  substr(x_edge_location, 1, 3) AS edge,
  COUNT(*) AS requests,
  SUM(sc_bytes) AS bytes
FROM cloudfront_standard_logs
GROUP BY `date`, substr(`time`, 1, 2), substr(x_edge_location, 1, 3)
ORDER BY `date`, hour_utc, edge;
