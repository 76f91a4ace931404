-- A RegexSerDe whose regex does not compile.
CREATE EXTERNAL TABLE r (x STRING) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ("input.regex" = "(abc") LOCATION 'data/r';
