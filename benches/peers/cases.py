"""What is compared: each case is one query over one set of logs, the engines it is compared with, and why.

The texts are in `queries/`: `NAME.sql` is what logq runs and everybody else who has no text of their own beside it.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Itself:
    """logq against itself, run otherwise: other settings, another memory limit, other logs for the table `logs`.

    `both_memory` is a limit for both sides, where the one of the case is too little for this one.
    """

    name: str
    settings: tuple[str, ...] = ()
    memory: str | None = None
    both_memory: str | None = None
    logs: str | None = None
    same_rows: bool = True


PIPELINED = Itself("pipelined", settings=("logq.execution=pipelined",))
# All map tasks run at once in a pipeline, and what each of them sorts is in memory at once.
PIPELINED_4_GB = Itself("pipelined 4 GB", settings=("logq.execution=pipelined",), both_memory="4GB")
LITTLE_MEMORY = Itself("128 MB", memory="128MB")


@dataclass(frozen=True)
class Case:
    """One query and who runs it. `tables` maps the tables of the query to sets of logs in data.py."""

    name: str
    shows: str
    tables: dict[str, str] = field(default_factory=dict)
    against: tuple[str | Itself, ...] = ()
    query: str | None = None
    memory: str | None = None
    # The rows go into files, as INSERT OVERWRITE DIRECTORY and COPY … TO do it, not to standard output.
    into_files: bool = False
    ordered: bool = False

    @property
    def text(self):
        return self.query or self.name


# Amazon's own script as it is published. It is the golden case too, so that nobody makes it easier here.
TUTORIAL_SCRIPT = "tests/golden/serdes/tutorial_v2.q"

READERS = ("polars", "duckdb", "chdb", "datafusion")
LARGE = {"memory": "1GB", "against": ("duckdb", LITTLE_MEMORY, PIPELINED)}
LARGE_PIPED = {"memory": "1GB", "against": ("duckdb", LITTLE_MEMORY, PIPELINED_4_GB)}

CASES = [
    Case(
        "tutorial",
        "the published script, unmodified, against what an expert writes by hand: typed date, short expression",
        {"logs": "tutorial"},
        (*READERS, "mawk", "wc", PIPELINED),
    ),
    Case(
        "tutorial_hive",
        "the published script against Hive's own RegexSerDe, which Spark runs",
        {"logs": "tutorial for Hive"},
        ("spark",),
        query="tutorial",
    ),
    Case(
        "miss_top",
        "three of 33 columns, a filter, GROUP BY, ORDER BY and LIMIT over plain files",
        {"logs": "standard"},
        (*READERS, PIPELINED),
        ordered=True,
    ),
    Case(
        "miss_top_gz",
        "the same over 300 gzipped files; inflating them is the floor for everybody",
        {"logs": "standard gzipped"},
        (*READERS, "inflate", PIPELINED),
        query="miss_top",
        ordered=True,
    ),
    Case(
        "small_files",
        "20,000 gzipped files of 5 KB and the same bytes in 20 files",
        {"logs": "20,000 files"},
        (Itself("20 files", logs="20 files"), PIPELINED),
        query="miss_top",
    ),
    Case("by_ip", "GROUP BY with 50,000 groups", {"logs": "standard wide"}, **LARGE),
    Case("by_uri", "GROUP BY with a million groups", {"logs": "standard wide"}, **LARGE),
    Case("distinct", "COUNT(DISTINCT)", {"logs": "standard wide"}, ordered=True, **LARGE_PIPED),
    Case("top", "the hundred most frequent of a million", {"logs": "standard wide"}, ordered=True, **LARGE),
    Case(
        "join",
        "a join of two tables of logs",
        {"logs": "standard wide", "busy": "standard"},
        ordered=True,
        **LARGE_PIPED,
    ),
    Case("sort", "all rows sorted into files", {"logs": "standard wide"}, into_files=True, ordered=True, **LARGE_PIPED),
    Case(
        "scale",
        "the published script over a tenth and five times of the logs: time in proportion, memory not",
        {"logs": "tutorial"},
        (
            Itself("0.1 times", logs="tutorial a tenth", same_rows=False),
            Itself("5 times", logs="tutorial times five", same_rows=False),
        ),
        query="tutorial",
    ),
    Case("plan_files", "planning (EXPLAIN) over 100,000 files", {"logs": "100,000 files"}),
    Case("startup", "start, SELECT 1, end", against=("duckdb", "duckdb-cli")),
]
