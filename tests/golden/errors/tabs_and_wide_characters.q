-- The caret stands under the word also behind tabs and wide characters.
source data/tables.q;
SELECT	'日本', 	nmae	FROM emp;
