-- INSERT OVERWRITE DIRECTORY: \x01 between fields, \N for NULL, no header, one file and _SUCCESS.
source data/tables.q;
INSERT OVERWRITE DIRECTORY 'out/emp' SELECT id, name, dept, hired, salary / 2, id = 1 FROM emp;
