-- ESCAPED BY escapes separators in the data; without it nothing is escaped.
INSERT OVERWRITE DIRECTORY 'out/escaped' ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' ESCAPED BY '\\' SELECT 'a,b', 'c\\d', 1;
INSERT OVERWRITE DIRECTORY 'out/plain' ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' SELECT 'a,b', 'c\\d', 1;
