from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from serve.talking import Talk, opened


@pytest.fixture
def live_run(small_run: Path, tmp_path: Path) -> Path:
    """Return a copy of the small run, so that what is served lies in a folder of the test's own."""
    return Path(shutil.copytree(small_run, tmp_path / "run"))


@pytest.fixture
def talk(live_run: Path) -> Iterator[Talk]:
    """Yield a service in this process, with an admin key."""
    with opened(live_run) as talk:
        yield talk
