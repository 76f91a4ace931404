#!/usr/bin/env python3
"""Compares logq with other engines on the same logs and prints a table. See README.md beside it.

Exit codes: 0 all rows were equal, 1 rows differ or logq failed, 2 usage.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import contestants
import measure
import report
import rows
from cases import CASES, Itself
from contestants import PEERS, contestant_name
from data import DATA, ROOT, logs

LOGQ = ROOT / "target/release/logq"
KEPT = ROOT / "target/peers"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--cases", help="only these, by name, with commas between them")
    parser.add_argument("--peers", help="only against these; `--list` shows who there is")
    parser.add_argument("-n", "--runs", type=int, default=5, help="measured runs of each side (default: 5)")
    parser.add_argument("--quick", action="store_true", help="small logs, to see whether everything works")
    parser.add_argument("--limit", type=int, default=300, metavar="SECONDS", help="of one run (default: 300)")
    parser.add_argument("--markdown", action="store_true", help="prints a table for a README")
    parser.add_argument("--into", type=Path, metavar="FILE", help=f"puts that into FILE, too, {report.PLACE}")
    parser.add_argument("--list", action="store_true", help="prints the cases and who is there, runs nothing")
    parser.add_argument("--logq", type=Path, default=LOGQ, help="default: target/release/logq")
    parser.add_argument("--generator", type=Path, help="a built generate_logs; without it cargo builds one")
    parser.add_argument("--data", type=Path, default=KEPT, help="keeps the logs (default: target/peers)")
    args = parser.parse_args()
    if args.runs < 1:
        parser.error("-n must be at least 1")
    if args.into and not report.has_place(args.into):
        parser.error(f"{args.into} has no place for the table {report.PLACE}")
    args.markdown |= args.into is not None
    for path in (args.logq, args.generator):
        if path and not args.list and not shutil.which(path):
            parser.error(f"there is no program {path}; `cargo build --release` makes target/release/logq")
    args.cases = chosen(parser, args.cases, {case.name for case in CASES})
    args.peers = chosen(parser, args.peers, {contestant_name(one) for case in CASES for one in case.against})
    for name in ("logq", "generator", "data"):
        if path := getattr(args, name):
            setattr(args, name, path.resolve())
    return args


def chosen(parser, given, known):
    """The names in `given`; all of them if none are given."""
    names = {name.strip() for name in given.split(",")} if given else known
    if unknown := names - known:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    return names


def main():
    args = arguments()
    versions = {name: peer.version() for name, peer in PEERS.items()}
    if args.list:
        return list_cases(versions)
    comparison = Comparison(args, versions)
    table = report.Table(args.markdown, report.heading(args.logq, versions, args.runs, args.quick))
    for case in CASES:
        if case.name in args.cases:
            for line in comparison.lines(case):
                table.add(line)
    if args.into:
        report.put_into(args.into, table.printed)
    for problem in comparison.problems:
        print(problem, file=sys.stderr)
    return 1 if comparison.problems else 0


def list_cases(versions):
    for case in CASES:
        against = ", ".join(map(contestant_name, case.against)) or "nobody"
        print(f"{case.name:14} {case.shows}\n{'':14} against {against}")
    print(*(f"{name}: {version or 'not there'}" for name, version in versions.items()), sep="\n")
    return 0


class Comparison:
    """Runs cases pair by pair, and collects what must not be: rows that differ, and failures of logq."""

    def __init__(self, args, versions):
        self.args = args
        self.versions = versions
        self.problems = []

    def lines(self, case):
        against = [one for one in case.against if contestant_name(one) in self.args.peers]
        if case.against and not against:
            return
        tables = {table: self.logs(name) for table, name in case.tables.items()}
        for contestant in against or [None]:
            name = contestant_name(contestant) if contestant else ""
            if contestant in self.versions and not self.versions[contestant]:
                yield report.Line(case.name, name, None, "not there")
                continue
            try:
                yield report.Line(case.name, name, *self.pair(case, tables, contestant))
            except measure.Failed as failure:
                self.problems.append(f"{case.name}: logq against {name or 'nobody'}: {failure}")
                yield report.Line(case.name, name, None, "FAILED")

    def logs(self, name):
        self.args.data.mkdir(parents=True, exist_ok=True)
        return logs(DATA[name], self.args.data, self.args.quick, self.args.generator)

    def pair(self, case, tables, contestant):
        """Figures and the word about the rows. The first turn is not measured: it brings the files into the cache."""
        with tempfile.TemporaryDirectory(prefix="logq-peers-") as folder:
            ours, theirs = Side(folder, "logq", self.args.limit), Side(folder, "other", self.args.limit)
            memory = contestant.both_memory if isinstance(contestant, Itself) else None
            judge = Judge(case, tables, contestant)
            measured = []
            for turn in range(self.args.runs + 1):
                ours.run(lambda folder: contestants.logq_run(self.args.logq, case, tables, folder, memory=memory))
                if contestant:
                    theirs.run(lambda folder: self.other_run(case, tables, contestant, folder))
                    if found := judge.difference(ours.result, theirs.result):
                        raise measure.Failed(f"rows differ, {found}")
                if turn:
                    measured.append((ours.use, theirs.use))
            if not contestant:
                return measure.median([use for use, _ in measured]), ""
            return measure.medians(measured), judge.word

    def other_run(self, case, tables, contestant, folder):
        if not isinstance(contestant, Itself):
            return contestants.peer_run(PEERS[contestant], case, tables, folder)
        if contestant.logs:
            tables = tables | {"logs": self.logs(contestant.logs)}
        return contestants.logq_run(self.args.logq, case, tables, folder, contestant, contestant.both_memory)


class Side:
    """One of the two, with its folder, which is empty again before each of its runs."""

    def __init__(self, folder, name, limit_s):
        self.folder = Path(folder) / name
        self.limit_s = limit_s
        self.use = None
        self.result = None

    def run(self, prepare):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        run = prepare(self.folder)
        self.use = measure.run(run.command, self.folder, run.stdout, self.limit_s)
        self.result = run.result


class Judge:
    """Compares the rows of both sides after every run; what has been found equal is known by its digest."""

    def __init__(self, case, tables, contestant):
        self.case = case
        self.rows = tables["logs"].rows if tables else 0
        self.exact = isinstance(contestant, Itself)
        self.compares = contestant.same_rows if self.exact else contestant is None or PEERS[contestant].answers
        self.counts_lines = contestant == "wc"
        self.word = "equal" if self.compares else "as many lines" if self.counts_lines else "not compared"
        self.equal = set()

    def difference(self, ours, theirs):
        """Says how the rows differ, or returns None."""
        if self.counts_lines:
            counted = int(list(rows.lines(theirs))[-1].split()[0])
            return None if counted == self.rows else f"{counted} lines instead of {self.rows}"
        if not self.compares:
            return None
        digests = rows.digest(ours), rows.digest(theirs)
        if digests in self.equal:
            return None
        if found := rows.difference(ours, theirs, self.case.ordered, self.exact):
            return found
        self.equal.add(digests)
        return None


if __name__ == "__main__":
    sys.exit(main())
