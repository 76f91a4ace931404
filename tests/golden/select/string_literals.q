-- Both quotes are strings, backslash escapes, octal and Unicode escapes, adjacent literals, no doubling of quotes.
SELECT "double", 'single', "it's", 'say "x"', 'it''s', 'a' "b" 'c';
SELECT 'tab\there', 'q\'q', '\u0041', '\101', '[^\s]', '100\%', 'a\\b', length('a\\b');
