"""See that what is installed is what was pinned, may be used, was not withdrawn, and has no known weakness.

    python scripts/audit_dependencies.py

Always: each line of constraints.txt pins one version; everything installed is pinned, at that version; every
licence is one of those below. Where the package index answers: no pinned version was withdrawn (yanked).
Where PyPI's advisories answer: pip-audit knows of no weakness. What could not be asked is said.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[1]
OURS = {"huaxiang", "pip", "setuptools", "wheel"}
"""Ourselves, and what installs us."""

_PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9][A-Za-z0-9._!+-]*)")
_ALLOWED = re.compile(
    r"\b(mit|apache|bsd|isc|psf|python software foundation|python-2\.0|mpl|mozilla public|0bsd|unlicense|zlib"
    r"|hpnd|cmu license|mit-cmu|cc0|public domain|lgpl|ofl)\b"
)
_REFUSED = re.compile(r"(?<!l)\b(a?gpl|gnu (affero )?general public|sspl|busl|proprietary|commercial)\b")
ONLY_RUN: Mapping[str, str] = {"codespell": "checks spelling in CI; nothing of it is shipped or imported"}
"""Programs under other licences, and why that is no matter."""


def name_of(written: str) -> str:
    """Return a package's name as indexes write it.

    Examples
    --------
    >>> name_of("Typing_Extensions")
    'typing-extensions'
    """
    return re.sub(r"[-_.]+", "-", written).lower()


def pinned(lines: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Return name → version, and what is wrong with the other lines.

    Examples
    --------
    >>> pinned(["numpy==2.4.0", "# a note", "polars>=2"])
    ({'numpy': '2.4.0'}, ['not pinned: polars>=2'])
    """
    pins, wrong = {}, []
    for line in (line.partition("#")[0].strip() for line in lines):
        found = _PIN.fullmatch(line.partition(";")[0].strip())
        if found:
            pins[name_of(found["name"])] = found["version"]
        elif line:
            wrong.append(f"not pinned: {line}")
    return pins, wrong


def strangers(installed: Mapping[str, str], pins: Mapping[str, str]) -> list[str]:
    """Return what is installed and not pinned, or at another version.

    Examples
    --------
    >>> strangers({"numpy": "2.4.1", "left-pad": "1"}, {"numpy": "2.4.0"})
    ['installed and not pinned: left-pad 1', 'pinned at 2.4.0 and installed at 2.4.1: numpy']
    """
    unknown = [
        f"installed and not pinned: {name} {installed[name]}" for name in sorted(installed.keys() - pins)
    ]
    other = [
        f"pinned at {pins[name]} and installed at {version}: {name}"
        for name, version in sorted(installed.items())
        if name in pins and version.partition("+")[0] != pins[name].partition("+")[0]
    ]
    return unknown + other


def licences(one: Distribution) -> list[str]:
    """Return what a package says of its licence, the clearest statement first."""
    stated = one.metadata
    classified = [
        line.rpartition(" :: ")[2]
        for line in stated.get_all("Classifier", [])
        if line.startswith("License ::")
    ]
    first_line = (stated.get("License") or "").strip().partition("\n")[0][:80]
    found = [stated.get("License-Expression"), *classified, first_line]
    return [one for one in found if one and one != "UNKNOWN"]


def is_allowed(stated: Sequence[str]) -> bool:
    """Return whether one of these statements is a licence that a user of ours may build on.

    Examples
    --------
    >>> is_allowed(["BSD-3-Clause"]), is_allowed(["GNU General Public License v3"]), is_allowed([])
    (True, False, False)
    >>> is_allowed(["MIT OR GPL-2.0-only"]), is_allowed(["LGPL-3.0-only"])
    (True, True)
    """
    ways = [way for one in stated for way in re.split(r"\bor\b|/", one.lower())]
    return any(_ALLOWED.search(way) and not _REFUSED.search(way) for way in ways)


def withdrawn(report: Mapping[str, Any]) -> list[str]:
    """Return the versions that pip's report of an installation marks as withdrawn.

    Examples
    --------
    >>> withdrawn({"install": [{"metadata": {"name": "a", "version": "1"}, "is_yanked": True}]})
    ['withdrawn by who made it: a 1']
    """
    return [
        f"withdrawn by who made it: {one['metadata']['name']} {one['metadata']['version']}"
        for one in report["install"]
        if one.get("is_yanked")
    ]


def ask_index(pins: Mapping[str, str]) -> list[str] | None:
    """Return what was withdrawn of what is pinned; None where the index does not answer."""
    wanted = [f"{name}=={version}" for name, version in pins.items()]
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--dry-run",
        "--ignore-installed",
        "--no-deps",
    ]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        done = subprocess.run(
            [*command, "--report", str(report), *wanted], capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(f"  {done.stderr.strip().splitlines()[-1][:200]}" if done.stderr.strip() else "")
            return None
        return withdrawn(json.loads(report.read_text(encoding="utf-8")))


def ask_advisories(constraints: Path) -> list[str] | None:
    """Return the weaknesses that pip-audit knows of what is pinned; None where its source does not answer.

    A source that knows none of the packages is no answer, although pip-audit calls that no weakness.
    """
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--no-deps", "--disable-pip"]
    done = subprocess.run(
        [*command, "-r", str(constraints)], capture_output=True, text=True, check=False, timeout=600
    )
    if not done.stdout.startswith("{"):
        print(f"  {done.stderr.strip()[-200:]}")
        return None
    asked = json.loads(done.stdout)["dependencies"]
    unknown = [one["name"] for one in asked if "skip_reason" in one]
    if unknown:
        print(f"  the source of advisories does not know {len(unknown)} of {len(asked)} packages")
    return None if len(unknown) == len(asked) else weaknesses(asked)


def weaknesses(asked: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each weakness in pip-audit's answer.

    Examples
    --------
    >>> weaknesses([{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1"}]}, {"name": "b", "vulns": []}])
    ['weakness: a 1: PYSEC-1']
    """
    return [
        f"weakness: {one['name']} {one['version']}: {found['id']}"
        for one in asked
        for found in one.get("vulns", ())
    ]


def main() -> int:
    """Print what was found; return 1 where something is wrong."""
    constraints = HOME / "constraints.txt"
    pins, wrong = pinned(constraints.read_text(encoding="utf-8").splitlines())
    there = {name_of(one.name): one for one in distributions() if name_of(one.name) not in OURS}
    wrong += strangers({name: one.version for name, one in there.items()}, pins)
    wrong += [
        f"licence is not on the list: {name} ({'; '.join(licences(one)) or 'none stated'})"
        for name, one in sorted(there.items())
        if name not in ONLY_RUN and not is_allowed(licences(one))
    ]
    print(f"{len(pins)} pinned, {len(there)} installed: versions and licences looked at")
    for what, found in (
        ("withdrawn versions", ask_index(pins)),
        ("known weaknesses (pip-audit)", ask_advisories(constraints)),
    ):
        print(
            f"{what}: " + ("NOT LOOKED AT, nobody answers here" if found is None else f"{len(found)} found")
        )
        wrong += found or []
    print("\n".join(f"error: {line}" for line in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
