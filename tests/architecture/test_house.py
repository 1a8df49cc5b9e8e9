"""The house rules that a tool can check: public names, light imports, nothing pickled or evaluated."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import huaxiang

SOURCE = Path(huaxiang.__file__).parent


def test_public_names_are_these() -> None:
    assert sorted(huaxiang.__all__) == [
        "AsyncClient",
        "Client",
        "Event",
        "EventType",
        "HuaxiangError",
        "Item",
        "Model",
        "Profile",
        "Settings",
        "Slate",
        "Value",
        "__version__",
        "fit",
        "load",
        "read_settings",
        "read_shop",
        "simulate_shop",
    ]


def test_every_public_name_resolves() -> None:
    assert all(getattr(huaxiang, name) is not None for name in huaxiang.__all__)


def test_importing_loads_no_heavy_package() -> None:
    heavy = (
        "torch",
        "transformers",
        "matplotlib",
        "sklearn",
        "onnxruntime",
        "polars",
        "faiss",
        "jieba",
        "httpx",
    )
    code = f"import sys, huaxiang; print([name for name in {heavy!r} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


UNSAFE = (r"import pickle", r"\beval\(", r"\bexec\(", r"yaml\.load\(", r"shell=True")


@pytest.mark.parametrize("forbidden", UNSAFE)
def test_nothing_unsafe_is_called(forbidden: str) -> None:
    pattern = re.compile(rf"(?<![\w.]){forbidden}")
    assert [str(path) for path in SOURCE.rglob("*.py") if pattern.search(path.read_text())] == []


def test_nothing_prints_but_the_command_line() -> None:
    inside = [path for path in SOURCE.rglob("*.py") if "cli" not in path.parts]
    assert [str(path) for path in inside if re.search(r"(?<![\w.])print\(", path.read_text())] == []


def test_the_simulator_knows_nothing_of_profiles() -> None:
    files = (SOURCE / "shop" / "simulate").rglob("*.py")
    assert [str(path) for path in files if "huaxiang.profile" in path.read_text()] == []
