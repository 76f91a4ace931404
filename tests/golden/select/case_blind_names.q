-- Names of tables and columns have no case, quoted or not.
source data/tables.q;
SELECT `ID`, Name FROM EMP WHERE `Emp`.`iD` = 1;
