-- The last statement needs no semicolon, and empty ones are nothing.
;;
SELECT 1;
;
SELECT 2
