-- LazySimpleSerDe reads every primitive type; what it cannot read is NULL.
-- FILE data/d/log
-- |1,2,3,4,1.5,2.5,true,abc,abcdef,abcdef,2014-07-05,2014-07-05 01:02:03.5,12.345,YWJj
-- |-1,+2,-3,+4,-1.5,1e3,FALSE,,,,2014-07-05,2014-07-05 01:02:03,-1,
-- |128,40000,9999999999,99999999999999999999,x,,1,a b,ab,ab,2014-13-05,nope,x,
-- | 1,1.9,0x10,1e3,NaN,Infinity,t, ,a,a,NULL,NULL,123456,
CREATE EXTERNAL TABLE d (t TINYINT, s SMALLINT, i INT, b BIGINT, f FLOAT, d DOUBLE, o BOOLEAN, x STRING, v VARCHAR(3),
  c CHAR(3), day DATE, ts TIMESTAMP, n DECIMAL(6,2), bin BINARY)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/d';
SELECT t, s, i, b FROM d;
SELECT f, d, o FROM d;
SELECT concat('[', x, ']'), concat('[', v, ']'), concat('[', c, ']') FROM d;
SELECT day, ts, n FROM d;
SELECT bin FROM d;
