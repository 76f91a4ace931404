"""The logs that the cases read, made by logq's own generator and kept from run to run."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CARGO_RUN = ["cargo", "run", "--release", "--quiet", "--package", "generate_logs", "--"]

# Columns and their kinds. Fields that may be `-` are text for everybody.
TUTORIAL = {
    "log_date": "date", "log_time": "text", "location": "text", "bytes": "integer", "request_ip": "text",
    "method": "text", "host": "text", "uri": "text", "status": "integer", "referrer": "text", "user_agent": "text",
}  # fmt: skip
STANDARD = {
    "log_date": "date", "log_time": "text", "x_edge_location": "text", "sc_bytes": "integer", "c_ip": "text",
    "cs_method": "text", "cs_host": "text", "cs_uri_stem": "text", "sc_status": "integer", "cs_referer": "text",
    "cs_user_agent": "text", "cs_uri_query": "text", "cs_cookie": "text", "x_edge_result_type": "text",
    "x_edge_request_id": "text", "x_host_header": "text", "cs_protocol": "text", "cs_bytes": "integer",
    "time_taken": "double", "x_forwarded_for": "text", "ssl_protocol": "text", "ssl_cipher": "text",
    "x_edge_response_result_type": "text", "cs_protocol_version": "text", "fle_status": "text",
    "fle_encrypted_fields": "text", "c_port": "integer", "time_to_first_byte": "double",
    "x_edge_detailed_result_type": "text", "sc_content_type": "text", "sc_content_len": "text",
    "sc_range_start": "text", "sc_range_end": "text",
}  # fmt: skip
COLUMNS = {"tutorial": TUTORIAL, "standard": STANDARD}


@dataclass(frozen=True)
class Size:
    rows: int
    files: int


@dataclass(frozen=True)
class Data:
    """A set of logs: its format, its size, its size with `--quick`, and further options of the generator.

    With `joins`, it is the files of that other set put together as they are, with header lines in the middle.
    """

    name: str
    format: str
    size: Size
    quick: Size
    options: tuple[str, ...] = ()
    joins: str | None = None


WIDE = ("--viewers", "280000", "--objects", "2000000")

DATA = {
    data.name: data
    for data in [
        Data("tutorial", "tutorial", Size(5_000_000, 6), Size(200_000, 6)),
        Data("tutorial a tenth", "tutorial", Size(500_000, 6), Size(20_000, 6)),
        Data("tutorial times five", "tutorial", Size(25_000_000, 6), Size(1_000_000, 6)),
        Data("tutorial for Hive", "tutorial", Size(10_000, 6), Size(1_000, 6)),
        Data("standard", "standard", Size(1_500_000, 12), Size(60_000, 12)),
        Data("standard gzipped", "standard", Size(1_500_000, 300), Size(60_000, 30), ("--gz",)),
        # 50,000 addresses and a million objects in 1.5 million rows.
        Data("standard wide", "standard", Size(1_500_000, 12), Size(60_000, 12), WIDE),
        Data("20,000 files", "standard", Size(1_060_000, 20_000), Size(10_600, 200), ("--gz",)),
        Data("20 files", "standard", Size(1_060_000, 20), Size(10_600, 2), joins="20,000 files"),
        Data("100,000 files", "standard", Size(100_000, 100_000), Size(2_000, 2_000)),
    ]
}


@dataclass(frozen=True)
class Logs:
    """Logs on disk. `root` is what the tutorial calls INPUT, `folder` holds the files."""

    name: str
    format: str
    rows: int
    root: Path
    folder: Path

    @property
    def gzipped(self):
        return any(path.suffix == ".gz" for path in self.folder.iterdir())

    @property
    def header_lines(self):
        return 2 if self.format == "standard" else 0

    @property
    def crlf(self):
        return self.format == "tutorial"

    @property
    def columns(self):
        return COLUMNS[self.format]


def logs(data, keep, quick=False, generator=None):
    """Finds `data` in the folder `keep`, or makes it there."""
    size = data.quick if quick else data.size
    root = keep / f"{data.name.replace(' ', '-').replace(',', '')}-{size.rows}-rows-{size.files}-files"
    below = Path("cloudfront/data") if data.format == "tutorial" else Path("standard")
    if not root.is_dir():
        partial = root.with_name(root.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        if data.joins:
            join(logs(DATA[data.joins], keep, quick, generator), partial / below, size.files)
        else:
            generate = [str(generator)] if generator else CARGO_RUN
            what = [data.format, str(size.rows), str(partial / below), "--files", str(size.files), *data.options]
            subprocess.run(generate + what, cwd=ROOT, check=True)
        n_files = sum(1 for _ in (partial / below).iterdir())
        if n_files != size.files:
            raise SystemExit(f"{partial} has {n_files} files and not {size.files}")
        partial.rename(root)
    return Logs(data.name, data.format, size.rows, root, root / below)


def join(logs, folder, n_files):
    """Puts the files of `logs` together into `n_files`, in the order of their names. Gzip allows it: RFC 1952, 2.2."""
    folder.mkdir(parents=True)
    paths = sorted(logs.folder.iterdir())
    per_file = -(-len(paths) // n_files)
    for number in range(n_files):
        with open(folder / f"{number:03}{paths[0].suffix}", "wb") as joined:
            for path in paths[number * per_file : (number + 1) * per_file]:
                joined.write(path.read_bytes())
