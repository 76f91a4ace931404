-- Columns called date, time, user, timestamp, count, order, quoted or not.
-- FILE data/d/log
-- |2014-07-05,20:00,frank,1,9,5
CREATE EXTERNAL TABLE d (date STRING, time STRING, user STRING, timestamp INT, count INT, `order` INT)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 'data/d';
SELECT date, time, user, timestamp, count, `order` FROM d;
SELECT `date`, d.time, `user`, d.count FROM d WHERE date = '2014-07-05' AND time > '19' AND `timestamp` = 1;
