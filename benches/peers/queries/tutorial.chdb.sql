SELECT extract(user_agent, '\\(([^;]+)') AS os, count(*)
FROM logs
WHERE log_date BETWEEN '2014-07-05' AND '2014-08-05'
GROUP BY os
