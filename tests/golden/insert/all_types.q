-- How each type is written: Java's floats, ISO dates and timestamps, true and false.
INSERT OVERWRITE DIRECTORY 'out/t'
SELECT CAST(1 AS TINYINT), 1L, 1.5, 1e7, CAST(0.1 AS FLOAT), CAST(100 AS DOUBLE), true, 'text', CAST('2014-07-05' AS DATE),
  CAST('2014-07-05 01:02:03' AS TIMESTAMP), CAST('2014-07-05 01:02:03.25' AS TIMESTAMP), CAST('1.50' AS DECIMAL(5,2)), NULL;
