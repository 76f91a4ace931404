-- TABLESAMPLE, which DataFusion would drop without a word.
source data/tables.q;
SELECT count(*) FROM emp TABLESAMPLE(BUCKET 1 OUT OF 2 ON id);
