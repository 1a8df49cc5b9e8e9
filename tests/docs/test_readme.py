"""The README's code runs as it stands, on a smaller shop; both languages say the same."""

import ast
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "README.zh.md")


def code_of(name: str) -> str:
    return "\n".join(re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.DOTALL))


@pytest.mark.slow
def test_the_fifteen_lines_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huaxiang.journey.DEFAULT_CACHE", tmp_path / "cache")
    small = code_of(READMES[0]).replace("seed=7)", "seed=7, n_shoppers=120, n_items=60)")
    space: dict[str, object] = {}
    exec(compile(small, READMES[0], "exec"), space)
    assert os.path.exists(tmp_path / "runs" / "shop" / "manifest.json")
    assert space["slate"].items  # type: ignore[attr-defined]


def test_both_readmes_have_the_same_code() -> None:
    english, chinese = (ast.dump(ast.parse(code_of(name))) for name in READMES)
    assert english == chinese


def test_both_readmes_have_the_same_parts() -> None:
    heads = [
        len(re.findall(r"^## ", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)) for name in READMES
    ]
    assert heads[0] == heads[1]


@pytest.mark.parametrize("name", [*READMES, "benchmarks/README.md"])
def test_every_link_leads_somewhere(name: str) -> None:
    page = ROOT / name
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_every_script_named_in_the_results_exists() -> None:
    named = re.findall(
        r"benchmarks/(\w+\.py)", (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    )
    assert named
    assert [script for script in named if not (ROOT / "benchmarks" / script).exists()] == []
