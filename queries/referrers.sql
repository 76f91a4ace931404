-- Which sites send viewers here, and where do they land?
-- Links from our own pages and requests without a referrer are left out.

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

INSERT OVERWRITE DIRECTORY '${OUTPUT}/referrers/'
ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t'
SELECT
  parse_url(cs_referrer, 'HOST') AS site,
  COUNT(*) AS requests,
  COUNT(DISTINCT c_ip) AS addresses,
  COUNT(DISTINCT cs_uri_stem) AS pages
FROM cloudfront_standard_logs
WHERE cs_referrer IS NOT NULL
  AND parse_url(cs_referrer, 'HOST') <> x_host_header
GROUP BY parse_url(cs_referrer, 'HOST')
ORDER BY requests DESC, site;
