"""What several test folders share: where the public data is, and one small run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")

SHARED_DATA = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of the public data, or skip."""
    if not SHARED_DATA.exists():
        pytest.skip("needs ../shared/data")
    return SHARED_DATA
