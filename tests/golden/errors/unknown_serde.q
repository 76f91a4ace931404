-- A SerDe that logq does not have.
CREATE EXTERNAL TABLE r (x STRING)
ROW FORMAT SERDE 'com.example.MySerDe' LOCATION 'data/r';
