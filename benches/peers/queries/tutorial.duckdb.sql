SELECT regexp_extract(user_agent, '\(([^;]+)', 1) AS os, count(*)
FROM logs
WHERE log_date BETWEEN DATE '2014-07-05' AND DATE '2014-08-05'
GROUP BY os
