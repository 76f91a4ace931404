"""Whole processes, measured: wall time, CPU time and peak memory of each, and medians over pairs that take turns."""

import json
import os
import signal
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TIMED = Path(__file__).with_name("timed.py")
# Programs beside this Python come first: packages put theirs there.
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


class Failed(Exception):
    """A process did not end well; says how, with the end of what it printed."""


@dataclass(frozen=True)
class Use:
    """What one run used: seconds from start to end, seconds of CPU, and the most memory that was resident."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True)
class Pair:
    """Medians of both sides, and the median of the ratios: each run is divided by the one that came right after it."""

    ours: Use
    theirs: Use
    ratio: float


def run(command, folder, stdout, limit_s):
    """Runs `command` in `folder` with its output in the file `stdout`. Raises Failed, also after `limit_s` seconds."""
    use, stderr = folder / "use.json", folder / "stderr"
    # Settings of whoever runs this must not count.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LOGQ_")}
    environment |= {"PATH": PATH, "LC_ALL": "C", "XDG_CONFIG_HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    timed = [sys.executable, "-I", "-S", str(TIMED), str(use), str(stdout), str(stderr), *command]
    # A session of its own, so that whatever it starts ends with it.
    process = subprocess.Popen(
        timed, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        _, problem = process.communicate(timeout=limit_s)
    except BaseException as stopped:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(stopped, subprocess.TimeoutExpired):
            raise Failed(f"{command[0]} took more than {limit_s} s") from None
        raise
    if process.returncode:
        raise Failed(f"{command[0]} did not start: {problem.strip().splitlines()[-1]}")
    used = json.loads(use.read_text())
    if exit_code := used.pop("exit_code"):
        raise Failed(f"exit code {exit_code}: {stderr.read_text(errors='replace')[-2000:].strip()}")
    return Use(**used)


def median(uses):
    """The median of each figure by itself."""
    return Use(*(statistics.median(figures) for figures in zip(*((u.wall_s, u.cpu_s, u.peak_mb) for u in uses))))


def medians(pairs):
    """Puts together the runs of two sides: a list of (ours, theirs)."""
    ours, theirs = zip(*pairs)
    return Pair(median(ours), median(theirs), statistics.median(a.wall_s / b.wall_s for a, b in pairs))
