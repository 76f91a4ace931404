-- ntile, percent_rank, cume_dist.
source data/tables.q;
SELECT id, ntile(4) OVER (ORDER BY id), percent_rank() OVER (ORDER BY id), cume_dist() OVER (ORDER BY id) FROM emp
WHERE id < 6 ORDER BY id;
