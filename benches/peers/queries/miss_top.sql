SELECT cs_uri_stem, count(*) AS misses, sum(sc_bytes) AS bytes
FROM logs
WHERE x_edge_result_type = 'Miss'
GROUP BY cs_uri_stem
ORDER BY misses DESC, cs_uri_stem
LIMIT 10
