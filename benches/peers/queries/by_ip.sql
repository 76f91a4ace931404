SELECT count(*), sum(requests), max(requests), sum(bytes), max(c_ip)
FROM (
  SELECT c_ip, count(*) AS requests, sum(sc_bytes) AS bytes
  FROM logs
  GROUP BY c_ip
) per_address
