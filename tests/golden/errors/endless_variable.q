-- A variable that refers to itself.
SET hivevar:x=${y};
SET hivevar:y=${hivevar:x};
SELECT '${x}';
