"""Prints the comparison: where it was made and with what, and a line for each pair."""

import os
import platform
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from data import ROOT
from measure import Pair, Use

# What is between these lines of a file is replaced.
BEGIN, END = "<!-- compare.py -->", "<!-- end of compare.py -->"
PLACE = f"between the lines `{BEGIN}` and `{END}`"
HEADINGS = ["case", "against", "logq s", "its s", "ratio", "logq CPU s", "its CPU s", "logq MB", "its MB", "rows"]


@dataclass(frozen=True)
class Line:
    """One pair, or logq alone; `rows` is `equal`, or why there is nothing to compare."""

    case: str
    against: str
    figures: Pair | Use | None
    rows: str


def machine():
    """Processor, cores, memory and kernel, as far as Linux says."""
    processor = described("/proc/cpuinfo").get("model name", platform.machine())
    memory_kb = int(described("/proc/meminfo").get("MemTotal", "0 kB").split()[0])
    kernel = f"{platform.system()} {platform.release()}"
    return f"{processor}, {os.cpu_count()} cores, {memory_kb / 2**20:.0f} GB, {kernel}"


def described(path):
    """The lines `key: value` of a file, or nothing if there is no such file."""
    lines = Path(path).read_text().splitlines() if Path(path).exists() else []
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def printed(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()


def heading(logq, versions, runs, quick):
    """Machine, date and versions, a line each."""
    commit = printed("git", "rev-parse", "--short", "HEAD") or "no commit"
    peers = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    absent = ", ".join(name for name, version in versions.items() if not version)
    small = ", small logs (--quick)" if quick else ""
    lines = [
        f"Machine: {machine()}.",
        f"Date: {time.strftime('%Y-%m-%d')}. Python {platform.python_version()}.",
        f"Versions: {printed(str(logq), '--version')} (tree at {commit}), {peers}.",
        f"Medians of {runs} runs in turn, whole processes, files in the page cache{small}.",
    ]
    return lines + ([f"Not there: {absent}."] if absent else [])


def cells(line):
    if isinstance(line.figures, Pair):
        ours, theirs, ratio = line.figures.ours, line.figures.theirs, line.figures.ratio
        ratio = f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.2g}"
    else:
        ours, theirs, ratio = line.figures, None, ""
    (wall, cpu, peak), (their_wall, their_cpu, their_peak) = figures(ours), figures(theirs)
    return [line.case, line.against, wall, their_wall, ratio, cpu, their_cpu, peak, their_peak, line.rows]


def figures(use):
    return (f"{use.wall_s:.3f}", f"{use.cpu_s:.2f}", f"{use.peak_mb:.0f}") if use else ("", "", "")


class Table:
    """Writes lines as they come, in columns for a terminal or in Markdown, and keeps them in `printed`."""

    WIDTHS = [13, 14, 8, 8, 7, 10, 9, 7, 7]

    def __init__(self, markdown, heading):
        self.markdown = markdown
        self.printed = []
        for line in [*heading, ""]:
            self.print_line(line)
        self.print(HEADINGS)
        if markdown:
            self.print(["---", "---", *["--:"] * 7, "---"])

    def add(self, line):
        self.print(cells(line))

    def print(self, values):
        if self.markdown:
            self.print_line(f"| {' | '.join(values)} |")
            return
        texts = [value.ljust(width) for value, width in zip(values[:2], self.WIDTHS)]
        numbers = [value.rjust(width) for value, width in zip(values[2:-1], self.WIDTHS[2:])]
        self.print_line("  ".join([*texts, *numbers, values[-1]]))

    def print_line(self, line):
        print(line, flush=True)
        self.printed.append(line)


def has_place(file):
    """Whether `file` says where the table goes."""
    lines = file.read_text().splitlines() if file.is_file() else []
    return BEGIN in lines and END in lines[lines.index(BEGIN) :]


def put_into(file, printed):
    """Replaces what `file` has in the place of the table."""
    lines = file.read_text().splitlines()
    begin = lines.index(BEGIN)
    end = lines.index(END, begin)
    file.write_text("\n".join([*lines[: begin + 1], *printed, *lines[end:], ""]))
