-- Groups become values by Java's valueOf: a conversion that throws makes that column NULL and no other; a boolean is never NULL.
-- FILE data/r/log
-- |1|1|1|1|1.5|true|2014-07-05|2014-07-05 01:02:03.5
-- |-|-|-|-|-|-|-|-
-- |+7| 7|1.5|99999999999999999999| 1e3 |TRUE|2014-7-5|2014-07-05
-- |128|32768|2147483648|-5|NaN|yes|05/07/2014|x
CREATE EXTERNAL TABLE r (t TINYINT, s SMALLINT, i INT, b BIGINT, d DOUBLE, o BOOLEAN, day DATE, ts TIMESTAMP)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(.*)\\|(.*)\\|(.*)\\|(.*)\\|(.*)\\|(.*)\\|(.*)\\|(.*)") LOCATION 'data/r';
SELECT * FROM r;
