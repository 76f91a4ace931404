-- LOAD DATA.
source data/tables.q;
LOAD DATA INPATH 'data/emp' INTO TABLE dept;
