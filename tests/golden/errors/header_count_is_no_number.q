-- skip.header.line.count must be a number.
CREATE EXTERNAL TABLE d (x STRING) LOCATION 'data/dept' TBLPROPERTIES ('skip.header.line.count' = 'one');
SELECT x FROM d;
