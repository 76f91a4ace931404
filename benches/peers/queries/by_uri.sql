SELECT count(*), sum(requests), max(requests), sum(bytes), max(cs_uri_stem)
FROM (
  SELECT cs_uri_stem, count(*) AS requests, sum(sc_bytes) AS bytes
  FROM logs
  GROUP BY cs_uri_stem
) per_object
