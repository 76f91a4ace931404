"""Who takes part, whether they are there, and the command with which each runs a case."""

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cases import TUTORIAL_SCRIPT, Itself
from data import ROOT
from measure import PATH

HERE = Path(__file__).parent
# An example of logq's own, which `cargo build --release --examples` makes.
INFLATE = ROOT / "target/release/examples/inflate"
HIVE_TYPES = {"date": "DATE", "integer": "BIGINT", "double": "DOUBLE", "text": "STRING"}


@dataclass(frozen=True)
class Peer:
    """Another engine: a Python module run by `engines/NAME_job.py`, or a program."""

    name: str
    module: str | None = None
    program: str | None = None
    # What it prints are the rows of the query, not a count of lines or bytes.
    answers: bool = True

    def version(self):
        """Its version, or None if it is not there."""
        if self.module:
            return importlib.metadata.version(self.module) if importlib.util.find_spec(self.module) else None
        return program_version(self.program)


PEERS = {
    peer.name: peer
    for peer in [
        Peer("polars", module="polars"),
        Peer("duckdb", module="duckdb"),
        Peer("chdb", module="chdb"),
        Peer("datafusion", module="datafusion"),
        Peer("spark", program="spark-sql"),
        Peer("mawk", program="mawk"),
        Peer("wc", program="wc", answers=False),
        Peer("duckdb-cli", program="duckdb"),
        Peer("inflate", program=str(INFLATE), answers=False),
    ]
}


def program_version(program):
    if not (path := shutil.which(program, path=PATH)):
        return None
    options = ["-W", "version"] if program == "mawk" else ["--version"]
    environment = os.environ | {"PATH": PATH}
    text = subprocess.run(
        [path, *options],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ).stdout
    version = re.search(r"\bversion (\d+\.[\w.-]+)", text) or re.search(r"(\d+(?:\.\d+)+)", text)
    return version[1] if version else "of unknown version"


@dataclass(frozen=True)
class Run:
    """A command, and where its rows are afterwards: a file or a folder."""

    command: list[str]
    stdout: Path
    result: Path


def query_file(case, contestant):
    """The contestant's own text if there is one, else the one for all."""
    own = sorted((HERE / "queries").glob(f"{case.text}.{contestant}.*"))
    return own[0] if own else HERE / "queries" / f"{case.text}.sql"


def logq_run(logq, case, tables, folder, itself=None, memory=None):
    """logq on `case`, with what `itself` changes; `tables` are the Logs by table name, `memory` is a limit for both."""
    output, stdout = folder / "output", folder / "stdout"
    command = [str(logq), "--silent", "--format", "tsv", "--progress", "never", "--temp-dir", str(folder)]
    memory = memory or itself and itself.memory or case.memory
    if memory:
        command += ["--memory-limit", memory]
    for setting in itself.settings if itself else ():
        command += ["--hiveconf", setting]
    if case.text == "tutorial":
        command += ["-d", f"INPUT={tables['logs'].root}", "-d", f"OUTPUT={output}", "-f", str(ROOT / TUTORIAL_SCRIPT)]
        return Run(command, stdout, output)
    if tables:
        init = folder / "tables.sql"
        init.write_text("\n".join(hive_table(name, logs) for name, logs in tables.items()))
        command += ["-i", str(init)]
    query = query_file(case, "logq").read_text()
    if case.into_files:
        query = f"INSERT OVERWRITE DIRECTORY '{output}' ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'\n{query}"
    return Run(command + ["-e", query], stdout, output if case.into_files else stdout)


def hive_table(name, logs):
    columns = ", ".join(f"{column} {HIVE_TYPES[kind]}" for column, kind in logs.columns.items())
    return (
        f"CREATE EXTERNAL TABLE {name} ({columns}) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'"
        f" LOCATION '{logs.folder}' TBLPROPERTIES ('skip.header.line.count' = '{logs.header_lines}');"
    )


def peer_run(peer, case, tables, folder):
    """Another engine on `case`."""
    output, stdout = folder / "output", folder / "stdout"
    paths = [str(path) for logs in tables.values() for path in sorted(logs.folder.iterdir())]
    if peer.name == "wc":
        return Run(["wc", "-l", *paths], stdout, stdout)
    if peer.name == "mawk":
        return Run(["mawk", "-f", str(query_file(case, "mawk")), *paths], stdout, stdout)
    if peer.name == "inflate":
        (folder,) = {str(logs.folder) for logs in tables.values()}
        return Run([str(INFLATE), folder], stdout, stdout)
    if peer.name == "duckdb-cli":
        text = query_file(case, "duckdb").read_text()
        return Run(["duckdb", "-noheader", "-list", "-c", text], stdout, stdout)
    if peer.name == "spark":
        return Run(spark_command(tables["logs"].root, output, folder), stdout, output)
    output.mkdir()
    job = {
        "query": query_file(case, peer.name).read_text(),
        "tables": {name: description(logs) for name, logs in tables.items()},
        "memory": case.memory,
        "output": str(output) if case.into_files else None,
        "scratch": str(folder),
    }
    path = folder / "job.json"
    path.write_text(json.dumps(job))
    command = [sys.executable, str(HERE / "engines" / f"{peer.name}_job.py"), str(path)]
    return Run(command, stdout, output if case.into_files else stdout)


def spark_command(input, output, scratch):
    """The published script on Spark, which reads the table with Hive's own SerDe; its catalog is in memory."""
    conf = {
        "spark.ui.enabled": "false",
        "spark.sql.warehouse.dir": f"{scratch}/warehouse",
        "spark.hadoop.javax.jdo.option.ConnectionURL": "jdbc:derby:memory:metastore;create=true",
    }
    command = ["spark-sql", "--master", "local[*]"]
    for key, value in conf.items():
        command += ["--conf", f"{key}={value}"]
    return [*command, "-d", f"INPUT={input}", "-d", f"OUTPUT={output}", "-f", str(ROOT / TUTORIAL_SCRIPT)]


def description(logs):
    """A table as the jobs in `engines/` read it."""
    return {
        "folder": str(logs.folder),
        "columns": list(logs.columns.items()),
        "header_lines": logs.header_lines,
        "crlf": logs.crlf,
        "gzip": logs.gzipped,
    }


def contestant_name(contestant):
    return contestant.name if isinstance(contestant, Itself) else contestant
