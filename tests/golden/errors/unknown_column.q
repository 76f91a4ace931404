-- A column that is not there: the word, and the name that was meant.
source data/tables.q;

SELECT id, nmae
FROM emp
WHERE id = 1;
