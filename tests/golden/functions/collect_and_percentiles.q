-- collect_set, collect_list, percentile, stddev, variance.
source data/tables.q;
SELECT percentile(bytes, 0.5), percentile(bytes, 0), percentile(bytes, 1) FROM hits;
SELECT size(collect_list(edge)), sort_array(collect_set(edge)) FROM hits;
SELECT variance(id), var_samp(id), stddev_pop(id) FROM emp WHERE id IN (2, 4);
