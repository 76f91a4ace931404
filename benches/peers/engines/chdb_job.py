"""Runs one query on ClickHouse as a library: `chdb_job.py JOB`, where JOB is the file that contestants.py writes."""

import json
import sys

import chdb

TYPES = {"date": "Date", "integer": "Int64", "double": "Float64", "text": "String"}


def common_table(name, table):
    columns = ", ".join(f"{column} {TYPES[kind]}" for column, kind in table["columns"])
    return f"{name} AS (SELECT * FROM file('{table['folder']}/*', 'TSVRaw', '{columns}'))"


def main():
    with open(sys.argv[1]) as file:
        job = json.load(file)
    tables = ", ".join(common_table(name, table) for name, table in job["tables"].items())
    settings = {
        "input_format_tsv_skip_first_lines": max(table["header_lines"] for table in job["tables"].values()),
        "input_format_tsv_crlf_end_of_line": int(any(table["crlf"] for table in job["tables"].values())),
    }
    settings = "SETTINGS " + ", ".join(f"{name} = {value}" for name, value in settings.items())
    sys.stdout.write(str(chdb.query(f"WITH {tables} {job['query']} {settings}", "TabSeparated")))


main()
