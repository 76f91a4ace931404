-- `<=>` finds two NULLs equal.
SELECT NULL <=> NULL, 1 <=> NULL, 1 <=> 1, NULL = NULL, NOT (NULL = 1), NULL IS NULL;
