-- Of two INSERTs into one directory the second stays.
INSERT OVERWRITE DIRECTORY 'out/x' SELECT 1;
INSERT OVERWRITE DIRECTORY 'out/x' SELECT 2;
