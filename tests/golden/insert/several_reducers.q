-- mapreduce.job.reduces=3: three reducers, three files at most, keys ascending in each, every key in one.
-- MODES default one_thread threads_8 tiny_splits spill: the pipelined executor has no reducers and writes one file
source data/tables.q;
SET mapreduce.job.reduces=3;
INSERT OVERWRITE DIRECTORY 'out/x' SELECT bytes, count(*) FROM hits GROUP BY bytes;
