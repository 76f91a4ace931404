-- Several INSERTs from one FROM.
source data/tables.q;
FROM emp INSERT OVERWRITE DIRECTORY 'out/a' SELECT id INSERT OVERWRITE DIRECTORY 'out/b' SELECT name;
