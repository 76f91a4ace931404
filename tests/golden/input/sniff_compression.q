-- logq.sniff_compression trusts the first bytes over the name.
-- FILE data/gz.gz
-- |gzip without the name
-- COPY data/gz.gz data/m/a.log
-- FILE! data/m/b.gz
-- |plain with the name
SET logq.sniff_compression=true;
CREATE EXTERNAL TABLE m (k STRING) LOCATION 'data/m';
SELECT k FROM m;
