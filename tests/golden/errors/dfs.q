-- dfs commands.
dfs -ls /;
