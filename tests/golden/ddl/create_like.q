-- CREATE TABLE … LIKE copies columns and format.
source data/tables.q;
CREATE EXTERNAL TABLE copy LIKE dept LOCATION 'data/dept';
SELECT title FROM copy WHERE id = 10;
