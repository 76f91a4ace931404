-- DROP DATABASE of one that holds tables.
CREATE DATABASE d;
CREATE TABLE d.t (x INT);
DROP DATABASE d;
