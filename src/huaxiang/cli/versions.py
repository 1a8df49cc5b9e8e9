"""The versions of a run that is served: where each lies, and which one is in place.

A version lies beside the run, in `<run>.versions/<name>`, and is entered in the store's list of models. A
service that watches the list changes over by itself.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huaxiang.errors import ArtefactError, InputError
from huaxiang.feedback.training_log import Cut
from huaxiang.files import write_json
from huaxiang.model import Model, load
from huaxiang.profile.update import milliseconds
from huaxiang.runs import read_manifest, read_part
from huaxiang.serve.standing import LEARNT, POSITIONS
from huaxiang.store import Store, item_numbers, open_store
from huaxiang.store.models import ModelRow, promote_model, put_model, serving_model

LOCK, UNDER_WAY, PARTIAL = "retraining.lock", "under-way.json", ".partial"
HOUR_MS = 3_600_000
GO_ON_HOURS = 24
"""A stopped retraining goes on with the log that it had read, if that is not older."""


def versions_of(run: Path) -> Path:
    """Return the folder of a run's versions.

    Examples
    --------
    >>> versions_of(Path("/runs/demo"))
    PosixPath('/runs/demo.versions')
    """
    run = run.resolve()
    return run.with_name(run.name + ".versions")


def open_log(url: str, shop_id: str) -> Store:
    """Return the store of a service that has a log of this shop.

    Raises
    ------
    InputError
        The shop was never served from this store.
    """
    remedy = "start it with huaxiang serve first, name its store with --store, or use huaxiang build"
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise InputError("there is no log of a service to learn from", value=url, remedy=remedy)
    store = open_store(url)
    with store.read() as tx:
        is_known = bool(item_numbers(tx, shop_id))
    if not is_known:
        store.close()
        raise InputError("the store has nothing of this shop", value=shop_id, remedy=remedy)
    return store


@contextmanager
def alone(versions: Path) -> Iterator[None]:
    """Hold a run's versions: a second process is refused, and one that died has let go.

    Raises
    ------
    InputError
        Another process is retraining this run.
    """
    versions.mkdir(parents=True, exist_ok=True)
    with (versions / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            remedy = "wait for it to end"
            raise InputError(
                "the run is being retrained already", file=str(versions), remedy=remedy
            ) from None
        yield


@dataclass(frozen=True, kw_only=True)
class InPlace:
    """The version that is served.

    Parameters
    ----------
    since_ms
        Newest moment that it has learnt from.
    anew_ms
        When its weights last began from nothing.
    withdrawn
        Who had withdrawn by then; see `TrainingLog`.
    """

    folder: Path
    model: Model
    since_ms: int
    anew_ms: int
    withdrawn: str

    @classmethod
    def of(cls, store: Store, shop_id: str, run: Path) -> InPlace:
        """Return the version that the store's list says is served, else the run itself."""
        with store.read() as tx:
            row = serving_model(tx, shop_id)
        folder = run if row is None else Path(row.folder)
        manifest, model = read_manifest(folder), load(folder)
        newest_ms = milliseconds(model.newest) if model.newest else 0
        learnt = manifest.get(LEARNT, {})
        return cls(
            folder=folder,
            model=model,
            since_ms=int(learnt.get("until_ms", newest_ms)),
            anew_ms=int(learnt.get("anew_ms", newest_ms)),
            withdrawn=str(learnt.get("withdrawn", "")),
        )


def cut_of(store: Store, shop_id: str, versions: Path, *, base: str, now_ms: int) -> Cut:
    """Return up to where the log is read: as far as a stopped attempt of late did, else all of it.

    Parameters
    ----------
    base
        Name of the version in place: a cut for another one is not gone on with.
    """
    said = _under_way(versions / UNDER_WAY)
    if said.get("base") == base and now_ms - int(said.get("at_ms", 0)) <= GO_ON_HOURS * HOUR_MS:
        return Cut.from_json(said["positions"])
    with store.read() as tx:
        cut = Cut.of(tx, shop_id)
    write_json(versions / UNDER_WAY, {"base": base, "at_ms": now_ms, "positions": cut.as_json()})
    return cut


def cut_in(manifest: Mapping[str, Any]) -> Cut | None:
    """Return up to where of the log a version has learnt; None of one that learnt from no log."""
    said = manifest.get(LEARNT, {}).get(POSITIONS)
    return None if said is None else Cut.from_json(said)


def end_attempt(versions: Path) -> None:
    """Forget the cut: the next attempt reads the log as it is then."""
    (versions / UNDER_WAY).unlink(missing_ok=True)


def drop_stopped(versions: Path, *, but: str) -> None:
    """Remove what stopped attempts with other data left."""
    for path in versions.glob(f"*{PARTIAL}"):
        if path.name != but + PARTIAL:
            shutil.rmtree(path, ignore_errors=True)


def enter(store: Store, shop_id: str, in_place: InPlace, row: ModelRow, *, promote: bool) -> None:
    """Write a new version into the store's list, and the one in place if it is not there yet."""
    with store.begin() as tx:
        if serving_model(tx, shop_id) is None:
            first = ModelRow(
                name=in_place.model.name,
                folder=str(in_place.folder.resolve()),
                status="serving",
                created_ms=in_place.since_ms,
            )
            put_model(tx, shop_id, first)
        put_model(tx, shop_id, row)
        if promote:
            promote_model(tx, shop_id, row.name)


def _under_way(file: Path) -> dict[str, Any]:
    try:
        return dict(read_part(file.parent, file.name))
    except (ArtefactError, TypeError, ValueError):
        return {}
