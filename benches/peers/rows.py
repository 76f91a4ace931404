"""Compares what two engines answered.

logq against itself must give the same bytes. Other engines print the same values otherwise: fractions are compared in
nine digits, Hive's field separator counts as a tab, and where the query leaves the order open, so does the comparison.
"""

import hashlib
import itertools
from pathlib import Path

DIGITS = 9


def files(result):
    """The files that a result consists of, in the order of their names; marks like `_SUCCESS` are none of it."""
    result = Path(result)
    if result.is_file():
        return [result]
    return sorted(path for path in result.rglob("*") if path.is_file() and not path.name.startswith(("_", ".")))


def digest(result):
    """A digest of every byte, for "nothing has changed since the last run"."""
    found = hashlib.sha256()
    for path in files(result):
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                found.update(block)
    return found.hexdigest()


def difference(ours, theirs, ordered, exact):
    """Says how two results differ, or returns None."""
    ours, theirs = lines(ours), lines(theirs)
    if not exact and not ordered:
        ours, theirs = sorted(map(normal, ours)), sorted(map(normal, theirs))
    for number, (one, other) in enumerate(itertools.zip_longest(ours, theirs), start=1):
        if one == other or not exact and None not in (one, other) and normal(one) == normal(other):
            continue
        return f"row {number}:\n  logq  {shown(one)}\n  other {shown(other)}"
    return None


def lines(result):
    for path in files(result):
        with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            for line in file:
                yield line.rstrip("\n")


def normal(line):
    return "\t".join(map(normal_field, line.replace("\x01", "\t").split("\t")))


def normal_field(field):
    # Most fields are no fractions: looking for the point first makes large results bearable.
    if "." not in field:
        return field
    try:
        return f"{float(field):.{DIGITS}g}"
    except ValueError:
        return field


def shown(line):
    return "(no such row)" if line is None else line[:500]
