-- CREATE TABLE of a name that is taken.
CREATE EXTERNAL TABLE d (x STRING) LOCATION 'data/dept';
CREATE EXTERNAL TABLE d (x STRING) LOCATION 'data/dept';
