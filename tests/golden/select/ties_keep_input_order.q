-- Rows that ORDER BY finds equal stay in the order of the input, at any number of tasks.
source data/tables.q;
SELECT status, day, edge, bytes FROM hits ORDER BY status;
