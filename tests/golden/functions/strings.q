-- String functions, at their edges.
SELECT concat('a', NULL, 'b'), concat_ws('-', 'a', NULL, 'b'), length('é'), upper('ß'), lower('ÀB'), trim(' a '), reverse('abc'),
  repeat('ab', 3), lpad('5', 3, '0'), rpad('abc', 2, 'x'), instr('abcabc', 'c'), locate('a', 'abcabc', 2), initcap('ab cD');
SELECT substr('hello', 2), substr('hello', -3, 2), substr('hello', 0, 2), substr('hello', 9), substring_index('a.b.c', '.', 2),
  split('a,b,c', ',')[1], split('a.b', '\\.')[0], translate('abc', 'ab', 'x'), ascii('a'), space(2) = '  ';
