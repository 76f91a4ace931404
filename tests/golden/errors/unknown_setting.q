-- A setting of logq's that is not there.
SET logq.thread=4;
