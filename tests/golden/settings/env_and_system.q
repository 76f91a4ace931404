-- `${env:…}` and `${system:…}`.
-- ENV WHO=me
SELECT '${env:WHO}', '${env:NOPE}', '${system:user.dir}';
