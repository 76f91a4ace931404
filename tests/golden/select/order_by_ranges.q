-- A sorted result is merged by ranges of keys: rows of equal keys stay together, in the order of the files; NULL is first when ascending and last when descending.
-- FILE data/requests/a
-- |sfo,3,alpha alpha alpha
-- |lax,1,second
-- |\N,2,third
-- |lax,3,fourth
-- |lax,3,fourth
-- |jfk,\N,fifth
-- |lax,3,a text that is longer than a view holds
-- |,9,empty
-- FILE data/requests/b
-- |lax,3,fourth of b
-- |sfo,3,beta
-- |\N,2,third of b
-- |lax,2,b
-- |jfk,10,c
-- |ams,1,d
-- |lax,3,last of b
CREATE EXTERNAL TABLE requests (location string, seconds double, note string)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/requests';

SELECT * FROM requests ORDER BY location;
SELECT * FROM requests ORDER BY seconds DESC, location;
SELECT note FROM requests ORDER BY location DESC, seconds;
SELECT upper(note), seconds * 2 AS twice FROM requests ORDER BY twice;
SELECT * FROM requests ORDER BY 1;

-- Groups and joins in order: these have no place in the files.
SELECT location, count(*) AS n FROM requests GROUP BY location ORDER BY n DESC;
SELECT l.location, r.note FROM requests l JOIN requests r ON l.location = r.location AND l.seconds = r.seconds ORDER BY r.note;

INSERT OVERWRITE DIRECTORY 'out' ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' SELECT * FROM requests ORDER BY seconds, location;
CREATE EXTERNAL TABLE sorted (location string, seconds double, note string)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'out';
SELECT * FROM sorted;
