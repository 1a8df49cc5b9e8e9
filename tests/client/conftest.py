from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from running import Running, running


@pytest.fixture(scope="session")
def live(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Yield a service in a process of its own; tests use shoppers of their own."""
    copy = Path(shutil.copytree(small_run, tmp_path_factory.mktemp("live") / "run"))
    with running(copy) as live:
        yield live
