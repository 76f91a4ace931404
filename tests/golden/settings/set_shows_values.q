-- SET with a name alone, set and unset.
SET a.b = some value ;
SET a.b;
SET nope.nope;
SET hivevar:v=1;
SET hivevar:v;
RESET a.b;
SET a.b;
