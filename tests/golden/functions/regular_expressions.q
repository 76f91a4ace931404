-- regexp_extract and regexp_replace are Java's; replace replaces all.
SELECT regexp_extract('foothebar', 'foo(.*?)(bar)', 2), regexp_extract('foothebar', 'foo(.*?)(bar)', 0), regexp_extract('x', '(y)', 1),
  regexp_replace('foobar', 'oo|ar', ''), regexp_replace('a1b2', '(\\d)', '<$1>'), regexp_extract('id=42;', 'id=(\\d+)', 1);
