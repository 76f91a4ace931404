-- Places in a script with tabs and wide characters.
source data/tables.q;
SELECT	'日本', 	nmae	FROM emp;
