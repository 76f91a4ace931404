-- ALTER TABLE is read and not executed yet.
source data/tables.q;
ALTER TABLE emp ADD PARTITION (dt = '2014-07-05') LOCATION 'data/emp';
