"""Runs one query on DuckDB: `duckdb_job.py JOB`, where JOB is the file that contestants.py writes."""

import json
import sys

import duckdb

TYPES = {"date": "DATE", "integer": "BIGINT", "double": "DOUBLE", "text": "VARCHAR"}


def view(name, table):
    columns = ", ".join(f"'{column}': '{TYPES[kind]}'" for column, kind in table["columns"])
    return (
        f"CREATE VIEW {name} AS SELECT * FROM read_csv('{table['folder']}/*', delim = '\\t', header = false,"
        f" skip = {table['header_lines']}, quote = '', escape = '', auto_detect = false, columns = {{{columns}}})"
    )


def main():
    with open(sys.argv[1]) as file:
        job = json.load(file)
    connection = duckdb.connect()
    connection.execute(f"SET temp_directory = '{job['scratch']}'")
    # The queries that need an order ask for one; keeping that of the input would only cost memory.
    connection.execute("SET preserve_insertion_order = false")
    if job["memory"]:
        connection.execute(f"SET memory_limit = '{job['memory']}'")
    for name, table in job["tables"].items():
        connection.execute(view(name, table))
    if job["output"]:
        options = "(DELIMITER '\\t', HEADER false, QUOTE '')"
        connection.execute(f"COPY ({job['query']}) TO '{job['output']}/rows.tsv' {options}")
        return
    for row in connection.execute(job["query"]).fetchall():
        print(*("NULL" if value is None else value for value in row), sep="\t")


main()
