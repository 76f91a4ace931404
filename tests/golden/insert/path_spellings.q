-- Doubled slashes, a trailing slash, `file:` and `..` in the path.
INSERT OVERWRITE DIRECTORY 'out//a///b/' SELECT 1;
INSERT OVERWRITE DIRECTORY 'file:${system:user.dir}/out/c' SELECT 2;
INSERT OVERWRITE DIRECTORY 'file://${system:user.dir}/out/d' SELECT 3;
INSERT OVERWRITE DIRECTORY 'out/a/../e' SELECT 4;
