"""The audit of dependencies finds what it is for."""

from __future__ import annotations

import doctest
import importlib.util
from importlib.metadata import Distribution
from pathlib import Path
from types import ModuleType

import pytest

HOME = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    place = HOME / "scripts" / "audit_dependencies.py"
    spec = importlib.util.spec_from_file_location("audit_dependencies", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_its_examples_hold(audit: ModuleType) -> None:
    done = doctest.testmod(audit)
    assert done.attempted > 5
    assert done.failed == 0


def test_every_line_of_our_constraints_pins_one_version(audit: ModuleType) -> None:
    pins, wrong = audit.pinned((HOME / "constraints.txt").read_text().splitlines())
    assert wrong == []
    assert len(pins) > 100


@pytest.mark.parametrize("line", ["numpy", "numpy>=2", "numpy==2.*", "-e .", "git+https://example.org/a.git"])
def test_what_is_not_pinned_is_found(audit: ModuleType, line: str) -> None:
    assert audit.pinned([line]) == ({}, [f"not pinned: {line}"])


def test_a_licence_is_read_wherever_it_stands(audit: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "odd-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        "Name: odd\nVersion: 1\nLicense: GPL-3.0\nClassifier: License :: Free for all\n"
    )
    stated = audit.licences(Distribution.at(folder))
    assert stated == ["Free for all", "GPL-3.0"]
    assert not audit.is_allowed(stated)
