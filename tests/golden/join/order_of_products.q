-- Rows of joins without an equality come in the order of the larger table, then of the smaller one.
-- FILE data/many/a.txt
-- *3 >5\x0a1\x0a4\x0a2\x0a3\x0a
-- FILE data/few/a.txt
-- |3 c
-- |1 a
-- |9 i
-- |2 b
CREATE EXTERNAL TABLE many (n INT) LOCATION 'data/many';
CREATE EXTERNAL TABLE few (n INT, letter STRING) ROW FORMAT DELIMITED FIELDS TERMINATED BY ' ' LOCATION 'data/few';
SELECT many.n, few.letter FROM many CROSS JOIN few WHERE many.n > 2;
SELECT many.n, few.letter FROM many JOIN few ON many.n < few.n;
SELECT few.letter, many.n FROM few LEFT JOIN many ON many.n > few.n AND many.n + few.n > 5;
SELECT few.letter, many.n FROM few RIGHT JOIN many ON many.n > few.n AND many.n + few.n > 5;
SELECT few.letter, many.n FROM few FULL JOIN many ON many.n > few.n AND many.n + few.n > 6;
SELECT many.n, collect_list(few.letter) FROM many JOIN few ON many.n < few.n GROUP BY many.n;
