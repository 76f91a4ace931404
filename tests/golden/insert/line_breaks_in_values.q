-- A line feed in a value is written as it is, as Hive does without ESCAPED BY.
INSERT OVERWRITE DIRECTORY 'out/x' SELECT 'a\nb', 1;
