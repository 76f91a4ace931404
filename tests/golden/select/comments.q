-- Comments at all places, with quotes and semicolons in them.
-- it's; a comment
SELECT 1 -- it's; another
, 2 /* and; 'this' */ , 3;
-- the last one has no line end
