"""Requests per operating system: a typed date and a short expression over the user agent."""


def query(pl, logs):
    in_time = pl.col("log_date").is_between(pl.date(2014, 7, 5), pl.date(2014, 8, 5))
    os = pl.col("user_agent").str.extract(r"\(([^;]+)", 1).alias("os")
    return logs.filter(in_time).group_by(os).len()
