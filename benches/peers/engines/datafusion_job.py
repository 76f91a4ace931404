"""Runs one query on DataFusion: `datafusion_job.py JOB`, where JOB is the file that contestants.py writes."""

import json
import sys

import datafusion
import pyarrow

TYPES = {
    "date": pyarrow.date32(),
    "integer": pyarrow.int64(),
    "double": pyarrow.float64(),
    "text": pyarrow.string_view(),
}


def options(table):
    return datafusion.CsvReadOptions(
        has_header=False,
        delimiter="\t",
        comment="#",  # skips the header lines
        quote="\x01",  # a byte that is not there: a log has no quotes
        schema=pyarrow.schema([(column, TYPES[kind]) for column, kind in table["columns"]]),
        file_extension=".gz" if table["gzip"] else "",
        file_compression_type="gzip" if table["gzip"] else "",
    )


def main():
    with open(sys.argv[1]) as file:
        job = json.load(file)
    context = datafusion.SessionContext()
    for name, table in job["tables"].items():
        context.register_csv(name, table["folder"], options=options(table))
    for batch in context.sql(job["query"]).collect():
        for row in zip(*(column.to_pylist() for column in batch.columns)):
            print(*("NULL" if value is None else value for value in row), sep="\t")


main()
