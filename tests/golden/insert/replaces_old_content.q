-- The old content of the directory is gone, whatever it was.
-- FILE out/x/000000_0
-- |old
-- FILE out/x/000001_0
-- |old
-- FILE out/x/sub/other
-- |old
-- FILE out/neighbour/000000_0
-- |stays
INSERT OVERWRITE DIRECTORY 'out/x/' SELECT 'new';
