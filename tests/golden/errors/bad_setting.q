-- A setting of logq's with a value that it cannot have.
SET logq.execution=fast;
