-- How many visits are there each day, and how long are they?
-- A visit ends when a viewer (address and agent) is quiet for half an hour; it counts for the day on which it began.

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

INSERT OVERWRITE DIRECTORY '${OUTPUT}/sessions/'
ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t'
SELECT
  began_on,
  COUNT(*) AS visits,
  SUM(requests) AS requests,
  round(SUM(requests) / COUNT(*), 2) AS requests_per_visit,
  CAST(round(SUM(lasted) / COUNT(*)) AS BIGINT) AS mean_seconds,
  MAX(lasted) AS longest_seconds
FROM (
  SELECT
    MIN(`date`) AS began_on,
    MAX(moment) - MIN(moment) AS lasted,
    COUNT(*) AS requests
  FROM (
    SELECT
      viewer,
      `date`,
      moment,
      SUM(CASE WHEN moment - previous <= 1800 THEN 0 ELSE 1 END)
        OVER (PARTITION BY viewer ORDER BY moment) AS visit
    FROM (
      SELECT
        viewer,
        `date`,
        moment,
        LAG(moment) OVER (PARTITION BY viewer ORDER BY moment) AS previous
      FROM (
        SELECT
          concat(c_ip, ' ', COALESCE(cs_user_agent, '')) AS viewer,
          `date`,
          unix_timestamp(concat(CAST(`date` AS STRING), ' ', `time`)) AS moment
        FROM cloudfront_standard_logs
      ) moments
    ) gaps
  ) numbered
  GROUP BY viewer, visit
) per_visit
GROUP BY began_on
ORDER BY began_on;
