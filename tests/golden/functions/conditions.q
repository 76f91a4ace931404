-- if, coalesce, nvl, nullif, CASE, isnull.
SELECT if(1 > 2, 'a', 'b'), if(NULL, 1, 2), coalesce(NULL, NULL, 3), nvl(NULL, 'x'), nullif(1, 1), isnull(NULL), isnotnull(NULL),
  CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END, CASE WHEN false THEN 1 END;
