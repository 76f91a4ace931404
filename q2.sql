SET logq.split.bytes=67108864; SET logq.batch.rows=3; 
