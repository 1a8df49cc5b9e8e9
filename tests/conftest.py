"""What several test folders share: where the public data is, and one small run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from command_line import QUICK, Answer, call
from huaxiang.model import Model, load

os.environ.setdefault("HF_HUB_OFFLINE", "1")

settings.register_profile("untimed", deadline=None)  # time says what else the machine does
settings.load_profile("untimed")

SHARED_DATA = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of the public data, or skip."""
    if not SHARED_DATA.exists():
        pytest.skip("needs ../shared/data")
    return SHARED_DATA


@dataclass(frozen=True)
class SmallBuild:
    """A small simulated shop, its run, and what the two commands that made them answered."""

    shop: Path
    run: Path
    simulated: Answer
    built: Answer


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all processes of this session share."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "common"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def cache(common: Path) -> Iterator[Path]:
    """Return this session's cache; commands use it for as long as the session lasts."""
    folder = common / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUAXIANG_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def small_build(common: Path, cache: Path) -> SmallBuild:
    """Simulate and build by the command line, once for all processes."""
    shop, run, said = common / "small" / "shop", common / "small" / "run", common / "said.json"
    shop.parent.mkdir(exist_ok=True)
    with FileLock(common / "small.lock"):
        if not said.exists():
            simulated = call("simulate", "--shoppers", "120", "--items", "60", "--out", shop, "--json")
            built = call("build", "--shop", shop, "--out", run, *QUICK, "--json")
            assert (simulated.code, built.code) == (0, 0), simulated.err + built.err
            said.write_text(json.dumps([asdict(simulated), asdict(built)]))
    simulated, built = (Answer(**one) for one in json.loads(said.read_text()))
    return SmallBuild(shop, run, simulated, built)


@pytest.fixture(scope="session")
def small_run(small_build: SmallBuild) -> Path:
    """Return a run that is whole; tests leave it so."""
    return small_build.run


@pytest.fixture
def small_model(small_run: Path) -> Model:
    """Return the run's model, which the test may teach."""
    return load(small_run)
