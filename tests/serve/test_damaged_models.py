"""A model folder that is damaged when it should be served: the old one stays, whichever part is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from huaxiang.model import load
from huaxiang.store import open_store
from huaxiang.store.models import ModelRow, models_of, put_model
from serve.processes import Served

pytestmark = pytest.mark.slow
DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "cut short": lambda whole: whole[: len(whole) // 2],
    "a bit flipped": lambda whole: flipped(whole, len(whole) // 2),
    "empty": lambda whole: b"",
    "gone": lambda whole: None,
}


def flipped(whole: bytes, place: int) -> bytes:
    """Return the bytes with one bit of one of them changed."""
    return whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :]


@dataclass(frozen=True)
class Beside:
    """A service, and another version of its model in a folder that can be damaged."""

    served: Served
    folder: Path
    store: str

    def offer(self) -> None:
        """Let the version be one that may be promoted."""
        store = open_store(self.store)
        row = ModelRow(name="other", folder=str(self.folder), status="ready", created_ms=1)
        with store.begin() as tx:
            put_model(tx, "default", row)
        store.close()

    def status(self) -> str:
        """Return what the store says of the version."""
        store = open_store(self.store)
        with store.read() as tx:
            found = {row.name: row.status for row in models_of(tx, "default")}
        store.close()
        return found["other"]


@pytest.fixture(scope="module")
def beside(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    home = tmp_path_factory.mktemp("damaged")
    run = Path(shutil.copytree(small_run, home / "run"))
    replace(load(run), name="other").save(home / "other")
    with Served(run) as served:
        yield Beside(served, home / "other", f"sqlite:///{home / 'run.live' / 'store.sqlite'}")
        assert served.stop() == 0


def artefacts(folder: Path) -> list[Path]:
    """Return what a version is made of; a large encoder is damaged like the others, once."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_version_with_any_artefact_damaged_is_refused_and_the_old_one_answers(
    beside: Beside, damage: str
) -> None:
    served = beside.served
    before = served.ask("GET", "/v1/models")[1]["serving"]
    for artefact in artefacts(beside.folder):
        whole = artefact.read_bytes()
        damaged = DAMAGES[damage](whole) if whole else None
        if artefact.name == "manifest.json" and damage == "a bit flipped":
            damaged = flipped(whole, whole.index(b'"other"') + 2)
        artefact.unlink()
        if damaged is not None:
            artefact.write_bytes(damaged)
        beside.offer()
        status, said = served.ask("POST", "/v1/models/other/promote")
        artefact.write_bytes(whole)
        assert (status, said["code"]) == (409, "artefact"), artefact
        assert beside.status() == "failed"
        status, listed = served.ask("GET", "/v1/shoppers/s-1/recommendations")
        assert (status, listed["model"]) == (200, before)
    beside.offer()
    assert served.ask("POST", "/v1/models/other/promote") == (200, {"serving": "other"})
    assert served.ask("POST", f"/v1/models/{before}/promote") == (200, {"serving": before})
