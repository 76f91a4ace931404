-- Columns of one name are columns of the file like any other.
source data/tables.q;
INSERT OVERWRITE DIRECTORY 'out/x' SELECT id, *, title FROM dept ORDER BY id;
