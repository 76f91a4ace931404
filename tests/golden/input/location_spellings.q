-- Relative, `./`, doubled slashes, `file:` and a single file as LOCATION.
CREATE EXTERNAL TABLE a (id INT, title STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t' LOCATION './data//dept/';
SELECT count(*) FROM a;
CREATE EXTERNAL TABLE b (id INT, title STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t' LOCATION 'file:${system:user.dir}/data/dept';
SELECT count(*) FROM b;
CREATE EXTERNAL TABLE c (id INT, title STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t' LOCATION 'file://${system:user.dir}/data/dept';
SELECT count(*) FROM c;
