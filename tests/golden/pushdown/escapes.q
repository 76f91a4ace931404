-- Predicates see texts as rows have them: unescaped, with U+FFFD for wrong bytes, cut to a varchar, NULL by the null format.
-- ARGS -S
-- FILE data/t/a
-- |a\,b|one
-- >c\xff|two\x0a
-- |-|three
-- |abcdefghijklmnop\n|four
CREATE EXTERNAL TABLE t (word VARCHAR(14), number STRING)
ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' ESCAPED BY '\\' NULL DEFINED AS '-' LOCATION 'data/t';
SELECT * FROM t WHERE word = 'a,b';
SELECT number FROM t WHERE word LIKE 'c%';
SELECT number FROM t WHERE word IS NULL;
SELECT number, word FROM t WHERE length(word) = 14;
SELECT word FROM t WHERE number IN ('one', 'four');
