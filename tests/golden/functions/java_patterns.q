-- Patterns of functions are Java's: `$` stands before a last line end, classes intersect, `.` stops at line ends.
SELECT regexp_extract('/a.html\n', '([^/]*)$', 1), 'a.html\n' RLIKE '\\.html$', 'a.html\nb' RLIKE '\\.html$', 'a\r\n' RLIKE 'a$';
SELECT concat('[', regexp_replace('x.gz\n', '\\.gz$', ''), ']'), regexp_replace('2014-07-05', '(?<y>\\d+)-(\\d+)', '${y}/$2');
SELECT regexp_extract('bcd', '[a-z&&[^b]]+', 0), 'a\nb' RLIKE 'a.b', 'a\nb' RLIKE '(?s)a.b', regexp_extract('aaab', 'a++b', 0);
SELECT split('a\\b', '\\\\'), split('k=v;x', '[;=]'), regexp_extract('Mozilla%20Windows', '^.*\\%20([^/]+)$', 1);
SELECT regexp_extract('abc', '(a)|(b)', 2), regexp_replace('tel: 12', '\\p{Digit}', '#'), 'É' RLIKE '(?i)é', regexp_extract('x\ty', '\\h', 0) = '\t';
SELECT 'a' RLIKE '(';
