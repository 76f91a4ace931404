-- Dates and their arithmetic.
SELECT year('2014-07-05'), month('2014-07-05'), day('2014-07-05'), hour('2014-07-05 20:01:02'), minute('2014-07-05 20:01:02'),
  to_date('2014-07-05 20:01:02'), date_add('2014-07-05', 30), date_sub('2014-07-05', 5), datediff('2014-07-05', '2014-06-30'),
  last_day('2014-02-10'), add_months('2014-01-31', 1), weekofyear('2014-07-05'), next_day('2014-07-05', 'MON');
SELECT date_format('2014-07-05', 'yyyy/MM/dd'), date_format('2014-07-05 20:01:02', 'EEE HH:mm'), trunc('2014-07-05', 'MM'),
  from_unixtime(0), from_unixtime(1404590400, 'yyyy-MM-dd HH'), unix_timestamp('1970-01-02 00:00:00'),
  unix_timestamp('05/Jul/2014:20:00:00 +0000', 'dd/MMM/yyyy:HH:mm:ss Z'), unix_timestamp('nope');
