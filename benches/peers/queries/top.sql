SELECT cs_uri_stem, count(*) AS requests
FROM logs
GROUP BY cs_uri_stem
ORDER BY requests DESC, cs_uri_stem
LIMIT 100
