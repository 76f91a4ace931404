"""The ten objects that were missed most often."""


def query(pl, logs):
    return (
        logs.filter(pl.col("x_edge_result_type") == "Miss")
        .group_by("cs_uri_stem")
        .agg(pl.len().alias("misses"), pl.col("sc_bytes").sum().alias("bytes"))
        .sort(["misses", "cs_uri_stem"], descending=[True, False])
        .head(10)
    )
