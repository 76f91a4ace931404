#!/usr/bin/env python3
"""Holds the dependency policy of deny.toml: licences, second versions, sources, unused declarations, advisories.

Looks at what is built on this platform, development dependencies included. It needs Python 3.11 and cargo and nothing
else, and reads the part of cargo-deny's format that deny.toml uses. Advisories are checked against a copy of the
RustSec advisory database if there is one: ADVISORY_DB names its folder.

    tools/check_dependencies.py              exits with 1 and says what is wrong
    tools/check_dependencies.py --self-test  tests the reading of licences and versions
"""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent


def licence_is_allowed(expression, allowed):
    """Evaluates an SPDX expression. AND binds stronger than OR; `/` is the old way to write OR."""
    tokens = re.findall(r"[()]|[^\s()]+(?: WITH [^\s()]+)?", expression.replace("/", " OR "))

    def any_of():
        value = all_of()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            value = all_of() or value
        return value

    def all_of():
        value = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            value = one() and value
        return value

    def one():
        token = tokens.pop(0)
        if token != "(":
            return token in allowed
        value = any_of()
        tokens.pop(0)
        return value

    return any_of()


def version(text):
    """A version as something that compares; a pre-release comes before its release."""
    release, _, pre = text.split("+")[0].partition("-")
    numbers = [int(part) for part in release.split(".")] + [0, 0]
    pre = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split(".") if part]
    return (*numbers[:3], not pre, pre)


def matches(text, requirement):
    """Whether a version meets a requirement as advisories write it: `>= 1.2.3, < 2.0`, `^0.9.1`."""
    found = version(text)
    for part in filter(None, map(str.strip, requirement.split(","))):
        operator, bound = re.fullmatch(r"(>=|<=|>|<|=|\^|~|)\s*(.+)", part).groups()
        low = version(bound)
        if operator in ("^", "~", ""):
            given = len(bound.split("-")[0].split("."))
            leading = next((i for i, number in enumerate(low[:3]) if number), 2)
            keep = min(leading, given - 1) if operator != "~" else min(1, given - 1)
            meets = found >= low and found[: keep + 1] == low[: keep + 1]
        else:
            meets = {">=": found >= low, "<=": found <= low, ">": found > low, "<": found < low, "=": found == low}[operator]
        if not meets:
            return False
    return True


def is_below(text, prefix):
    """Whether version 0.14.5 is one of `0.14`."""
    return (text + ".").startswith(prefix + ".")


def linked_packages():
    """What the workspace is built from on this platform, and its own members."""
    host = re.search(r"^host: (.+)$", run("rustc", "-vV"), re.M)[1]
    metadata = json.loads(run("cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={host}"))
    dependencies = {node["id"]: node["dependencies"] for node in metadata["resolve"]["nodes"]}
    found, todo = set(), list(metadata["workspace_members"])
    while todo:
        package = todo.pop()
        if package not in found:
            found.add(package)
            todo += dependencies[package]
    packages = [package for package in metadata["packages"] if package["id"] in found]
    members = [package for package in packages if package["id"] in metadata["workspace_members"]]
    return packages, members


def run(*command):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def check_licences(packages, policy):
    for package in packages:
        licence = package["license"]
        if not licence or not licence_is_allowed(licence, policy["licenses"]["allow"]):
            yield f"{package['name']} {package['version']}: licence `{licence}` is not among the allowed ones"


def check_versions(packages, policy):
    versions = collections.defaultdict(set)
    for package in packages:
        versions[package["name"]].add(package["version"])
    for ban in policy["bans"]["deny"]:
        if len(versions[ban["crate"]]) != 1:
            yield f"{ban['crate']}: exactly one version is wanted, found {sorted(versions[ban['crate']]) or 'none'}"
    for skip in policy["bans"]["skip"]:
        name, _, prefix = skip["crate"].partition("@")
        second = {it for it in versions[name] if is_below(it, prefix)}
        if not second or len(versions[name]) == 1:
            yield f"{skip['crate']}: nobody asks for this second version any more; remove it from deny.toml"
        versions[name] -= second
    for name, found in sorted(versions.items()):
        if len(found) > 1:
            yield f"{name}: versions {', '.join(sorted(found))}; find out who asks with `cargo tree --invert {name}@VERSION`"


def check_sources(packages):
    for package in packages:
        source = package["source"]
        if source and not source.startswith(("registry+", "sparse+")):
            yield f"{package['name']} {package['version']}: comes from {source}, not from a registry"
    registries = {package["source"] for package in packages if package["source"]}
    if len(registries) > 1:
        yield f"dependencies come from several places: {', '.join(sorted(registries))}"


def check_use(members):
    for member in members:
        folder = pathlib.Path(member["manifest_path"]).parent
        text = "\n".join(path.read_text() for path in sorted((folder / "src").rglob("*.rs")))
        for dependency in member["dependencies"]:
            name = (dependency["rename"] or dependency["name"]).replace("-", "_")
            if dependency["kind"] is None and not re.search(rf"\b{name}::", text):
                yield f"{member['name']} declares `{dependency['name']}` and does not use it"


def check_advisories(packages, policy, database):
    """Problems, for a database with one Markdown file per advisory that opens with a block of TOML."""
    ignored = policy["advisories"]["ignore"]
    ignored = {entry["id"] if isinstance(entry, dict) else entry for entry in ignored}
    for package in packages:
        for file in sorted((database / "crates" / package["name"]).glob("*.md")):
            entry = tomllib.loads(file.read_text().split("```toml", 1)[1].split("```", 1)[0])
            advisory, safe = entry["advisory"], entry["versions"]
            is_safe = any(matches(package["version"], it) for it in safe.get("patched", []) + safe.get("unaffected", []))
            if not is_safe and advisory["id"] not in ignored and "withdrawn" not in advisory:
                kind = advisory.get("informational", "vulnerability")
                yield f"{package['name']} {package['version']}: {advisory['id']} ({kind})"


def self_test():
    allowed = ["MIT", "Apache-2.0", "Zlib"]
    for expression, expected in {
        "MIT": True,
        "MIT/Apache-2.0": True,
        "GPL-3.0 OR MIT": True,
        "MIT AND GPL-3.0": False,
        "(MIT OR GPL-3.0) AND Zlib": True,
        "MIT OR GPL-3.0 AND GPL-2.0": True,
        "Apache-2.0 WITH LLVM-exception": False,
    }.items():
        assert licence_is_allowed(expression, allowed) is expected, expression
    for text, requirement, expected in [
        ("1.2.3", ">= 1.2.3", True),
        ("1.2.3", "> 1.2.3, < 2", False),
        ("1.9.0", ">=1.2.3, <2.0.0", True),
        ("1.10.0", "< 1.9.0", False),
        ("1.0.0-rc.1", ">= 1.0.0", False),
        ("0.9.5", "^0.9.1", True),
        ("0.10.1", "^0.9.1", False),
        ("1.4.0", "^1.3", True),
        ("1.4.0", "~1.3", False),
    ]:
        assert matches(text, requirement) is expected, (text, requirement)
    assert is_below("0.14.5", "0.14") and not is_below("0.141.0", "0.14")


def main():
    self_test()
    if sys.argv[1:] == ["--self-test"]:
        return 0
    policy = tomllib.loads((ROOT / "deny.toml").read_text())
    packages, members = linked_packages()
    problems = [*check_licences(packages, policy), *check_versions(packages, policy)]
    problems += [*check_sources(packages), *check_use(members)]
    database = os.environ.get("ADVISORY_DB")
    if database:
        problems += check_advisories(packages, policy, pathlib.Path(database))
    for problem in problems:
        print(f"dependencies: {problem}")
    n_seconds = len(policy["bans"]["skip"])
    advisories = "checked" if database else "not checked, since ADVISORY_DB names no copy of the database"
    print(f"dependencies: {len(packages)} packages, {n_seconds} second versions allowed, {len(problems)} problems")
    print(f"dependencies: advisories {advisories}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
