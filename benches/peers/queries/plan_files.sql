EXPLAIN SELECT cs_uri_stem, count(*) FROM logs GROUP BY cs_uri_stem
