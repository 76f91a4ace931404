-- LOCAL writes to the local file system, which is where all output goes.
source data/tables.q;
INSERT OVERWRITE LOCAL DIRECTORY 'out/dept' ROW FORMAT DELIMITED FIELDS TERMINATED BY '\t' STORED AS TEXTFILE SELECT * FROM dept;
