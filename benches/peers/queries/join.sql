SELECT busy.x_edge_location, count(*) AS pairs, sum(logs.sc_bytes) AS bytes, max(busy.time_taken) AS slowest
FROM logs JOIN busy ON logs.cs_uri_stem = busy.cs_uri_stem
WHERE logs.sc_status = 200
GROUP BY busy.x_edge_location
ORDER BY busy.x_edge_location
