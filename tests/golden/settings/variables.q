-- `${x}`, hivevar and hiveconf, nested, in strings and as SQL; unknown ones stay as they are.
SET hivevar:x=1;
SET y=two;
SET hivevar:name=x;
SET hivevar:column=upper('a');
SELECT ${x}, '${hivevar:x}', '${hiveconf:y}', ${${name}}, ${column}, '${nope}', '${hiveconf:nope}', '${y}';
SET hivevar:chain=${x}${x};
SELECT ${chain};
