"""Runs one query on Polars' streaming engine: `polars_job.py JOB`, where JOB is the file that contestants.py writes.

The query is Python: `query(pl, …)` gets the tables as lazy frames by their names and returns a lazy frame.
"""

import json
import sys

import polars

TYPES = {"date": polars.Date, "integer": polars.Int64, "double": polars.Float64, "text": polars.String}


def lazy_frame(table):
    return polars.scan_csv(
        f"{table['folder']}/*",
        separator="\t",
        has_header=False,
        skip_lines=table["header_lines"],
        quote_char=None,
        schema={column: TYPES[kind] for column, kind in table["columns"]},
    )


def main():
    with open(sys.argv[1]) as file:
        job = json.load(file)
    names = {}
    exec(job["query"], names)
    tables = {name: lazy_frame(table) for name, table in job["tables"].items()}
    for row in names["query"](polars, **tables).collect(engine="streaming").rows():
        print(*("NULL" if value is None else value for value in row), sep="\t")


main()
