SELECT log_date, count(DISTINCT c_ip), count(DISTINCT cs_uri_stem)
FROM logs
GROUP BY log_date
ORDER BY log_date
