-- logq.input.empty=true: a location without files is a table without rows.
-- DIR data/empty
SET logq.input.empty=true;
CREATE EXTERNAL TABLE e (k STRING) LOCATION 'data/empty';
SELECT k FROM e;
SELECT count(*) FROM e;
